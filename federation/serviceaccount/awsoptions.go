package serviceaccount

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/podpass-io/podpass/federation/aws"
)

// maxChain bounds aws-assume-role-arn and gcp-delegates: each link is a request
// on the way to the first credential.
const maxChain = 5

// leastForSDKs is the session duration, in seconds, from which on the broker can serve
// credentials that no SDK takes for old: it renews them when half of it is over.
const leastForSDKs = 1800

func (r *resolver) awsOptions(id *aws.Identity) {
	if v := r.lookup(KeyAWSAssumeRoleARN); v.set {
		for text := range strings.SplitSeq(v.text, ",") {
			link := value{where: v.where, text: strings.TrimSpace(text), set: true}
			arn, ok := r.role(link)
			if !ok || !r.samePartition(link, arn, id.RoleARN) {
				return
			}
			id.Chain = append(id.Chain, arn)
		}
		if len(id.Chain) > maxChain {
			r.fail(CodeAWSOption, v, fmt.Sprintf("chains %d roles, more than %d", len(id.Chain), maxChain), "let one role's policy allow what the chain adds up to")
		}
	}
	if v := r.lookup(KeyAWSExternalID); v.set {
		id.ExternalID = v.text
		if !aws.ValidExternalID(v.text) {
			r.fail(CodeAWSOption, v, "cannot be an external ID", "use 2 to 1224 letters, digits and _+=,.@:/-")
		} else if len(id.Chain) == 0 {
			r.fail(CodeAWSOption, v, "has no effect: an external ID belongs to AssumeRole, and no further role is annotated", "add "+KeyAWSAssumeRoleARN+", or remove this annotation")
		}
	}
	if v := r.lookup(KeyAWSSessionName); v.set {
		id.SessionName = v.text
		if !aws.ValidSessionName(v.text) {
			r.fail(CodeAWSOption, v, "cannot be a session name", "use 2 to 64 letters, digits and _+=,.@-")
		}
	}
	if v := r.lookup(KeyAWSSessionDuration); v.set {
		most := int64(aws.MaxSessionDuration)
		if len(id.Chain) > 0 {
			most = aws.MaxChainedSessionDuration // whatever the role's own maximum says
		}
		id.SessionDuration = int(r.number(v, aws.MinSessionDuration, most))
		if id.SessionDuration > 0 && id.SessionDuration < leastForSDKs {
			r.warn(CodeAWSOption, v, "makes botocore, which wants 15 minutes left, ask again on each call for part of the time", "use 1800 or more")
		}
	}
	if v := r.lookup(KeyAWSSessionPolicy); v.set {
		id.SessionPolicy = v.text
		if !document(v.text) || utf8.RuneCountInString(v.text) > aws.MaxSessionPolicy {
			r.fail(CodeAWSOption, v, "is not a JSON object of at most 2048 characters", "put an IAM policy document there, or name a managed policy on the role")
		}
	}
	if v := r.lookup(KeyAWSSessionTags); v.set {
		if id.SessionTags = r.boolean(v); id.SessionTags {
			id.ClusterARN, id.ClusterName = r.in.AWS.ClusterARN, r.in.AWS.ClusterName
		}
		if id.SessionTags && len(id.Chain) == 0 {
			r.fail(CodeAWSOption, v, "has no effect: web identity carries no tags, and no further role is annotated", "add "+KeyAWSAssumeRoleARN+", or remove this annotation")
		}
	}
}
