package serviceaccount

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
)

// maxChain bounds aws-assume-role-arn and gcp-delegates: each link is a request
// on the way to the first credential.
const maxChain = 5

func (r *resolver) aws() {
	named := r.agreed(r.compose, KeyAWSRoleARN, KeyEKSRoleARN)
	if !named.set {
		r.withoutIdentity(cloudAWS)
		return
	}
	arn, ok := r.role(named)
	if !ok {
		return
	}
	id := aws.Identity{RoleARN: arn, Audience: aws.DefaultAudience, Region: r.awsRegion(arn)}
	if v := r.lookup(KeyEKSAudience); v.set && v.text != "" {
		id.Audience = v.text
	}
	r.boolean(r.lookup(KeyEKSRegionalSTS)) // only checked: podpass is always regional
	r.awsOptions(&id)
	r.awsOthers(&id)
	r.answer.AWS = &AWS{Identity: id, Chosen: r.awsChosen(id.Others), IMDS: r.boolean(r.lookup(KeyAWSIMDS)), Grant: Grant{
		Mode: r.mode(""), TokenExpiration: r.expiration(KeyEKSTokenExpiration, 600), Source: named.source(),
	}}
}

// awsRegion is that of the annotation, or of the installation. One STS knows only the
// roles of its own partition.
func (r *resolver) awsRegion(role string) string {
	if v := r.lookup(KeyAWSRegion); v.set {
		switch {
		case !aws.ValidRegion(v.text):
			r.fail(CodeAWSOption, v, "is not a region's name", "set it to the name of a region, for example eu-central-1")
		case !aws.RegionFits(v.text, role):
			r.fail(CodeAWSOption, v, "is not a region of the partition of "+role, "set it to a region of that partition, for example "+aws.DefaultRegion(role))
		}
		return v.text
	}
	region := r.in.AWS.Region
	if region == "" || aws.RegionFits(region, role) {
		return region
	}
	otherwise := aws.DefaultRegion(role)
	r.warn(CodeAWSOption, value{where: r.account, text: region, set: true}, "is the installation's region, and not one of the partition of "+role+"; "+otherwise+" is taken",
		"annotate the ServiceAccount with "+KeyAWSRegion)
	return otherwise
}

// samePartition reports, and fails, that a further role is in another partition than
// the first: it has another STS, which does not know the first one's credentials.
func (r *resolver) samePartition(v value, role, first string) bool {
	if aws.PartitionOf(role) == aws.PartitionOf(first) {
		return true
	}
	r.fail(CodeAWSPartition, v, "is in another partition than "+first+", whose STS does not know it", "give the containers that need it a ServiceAccount, and so a pod, of their own")
	return false
}

// maxOthers bounds the roles of one pod: each costs an exchange at its start.
const maxOthers = 10

// awsOthers reads the further roles, which have names.
func (r *resolver) awsOthers(id *aws.Identity) {
	head := strings.TrimSuffix(KeyAWSNamedRole, "<name>")
	keys := append(ours(r.req.Annotations), ours(r.mapped)...)
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		name, ok := strings.CutPrefix(key, head)
		if !ok {
			continue
		}
		v := r.lookup(key)
		if !v.set {
			continue // the mapping's, for a ServiceAccount that names its own
		}
		if !federation.ValidName(name) {
			r.fail(CodeAWSOption, v, "is for a role whose name is not 1 to 32 lower case letters, digits and -", "rename it")
			continue
		}
		if arn, ok := r.role(v); ok && r.samePartition(v, arn, id.RoleARN) {
			id.Others = append(id.Others, aws.NamedRole{Name: name, RoleARN: arn})
		}
		if len(id.Others) > maxOthers {
			r.fail(CodeAWSOption, v, fmt.Sprintf("is one of more than %d further roles", maxOthers), "give containers ServiceAccounts, and so pods, of their own")
			return
		}
	}
}

// awsChosen reads which container gets which of them.
func (r *resolver) awsChosen(others []aws.NamedRole) map[string]string {
	head := strings.TrimSuffix(KeyAWSChosenRole, "<container>")
	var chosen map[string]string
	for _, key := range ours(r.req.PodAnnotations) {
		container, ok := strings.CutPrefix(key, head)
		if !ok {
			continue
		}
		v := r.onPod(key)
		if !slices.ContainsFunc(others, func(o aws.NamedRole) bool { return o.Name == v.text }) {
			r.fail(CodeAWSOption, v, "is no role of the ServiceAccount", "annotate the ServiceAccount with "+strings.TrimSuffix(KeyAWSNamedRole, "<name>")+quote(v.text)+", or correct the name")
			continue
		}
		if chosen == nil {
			chosen = map[string]string{}
		}
		chosen[container] = v.text
	}
	return chosen
}

// compose makes an ARN of a role's bare name, which may have a path, where the
// installation knows the account.
func (r *resolver) compose(text string) string {
	if r.in.AWS.AccountID == "" || strings.HasPrefix(text, "arn:") {
		return text
	}
	return aws.RoleARN{Partition: r.in.AWS.Partition, Account: r.in.AWS.AccountID, Path: "/", Name: strings.TrimPrefix(text, "/")}.String()
}

// role checks a role's ARN.
func (r *resolver) role(v value) (string, bool) {
	text := r.compose(v.text)
	arn, err := aws.ParseRoleARN(text)
	if err != nil {
		r.fail(CodeAWSRole, v, err.Error(), "set it to the role's ARN, for example arn:aws:iam::111122223333:role/orders")
		return "", false
	}
	if _, ok := r.in.AWS.STSEndpoints[arn.Partition]; !ok && !aws.IsAWSPartition(arn.Partition) {
		r.fail(CodeAWSPartition, v, fmt.Sprintf("partition %q is not AWS's, and this installation names no STS for it", arn.Partition),
			"ask the administrator for the chart value aws.stsEndpoints."+arn.Partition)
		return "", false
	}
	return text, true
}

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
		id.SessionDuration = int(r.number(v, aws.MinSessionDuration, most, 0))
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
