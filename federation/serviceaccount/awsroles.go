package serviceaccount

import (
	"fmt"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
)

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
