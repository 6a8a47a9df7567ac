package awssts

import (
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// lets reports whether a role lets the bearer of a token in.
func lets(r *http.Request, form values, role trust.AWSRole, claims federation.Claims) bool {
	if role.Policy == nil {
		return role.Issuer == claims.Issuer && intersects(role.Audiences, claims.Audiences) && trust.Glob(role.Subjects, claims.Subject)
	}
	arn, _ := aws.ParseRoleARN(role.ARN) // bounds has checked it
	issuer := strings.TrimPrefix(claims.Issuer, "https://")
	q := question{
		principals: []string{"arn:" + arn.Partition + ":iam::" + arn.Account + ":oidc-provider/" + issuer}, kind: "Federated",
		action: "sts:AssumeRoleWithWebIdentity", context: requestContext(r, form),
	}
	q.context[strings.ToLower(issuer)+":sub"] = []string{claims.Subject}
	q.context[strings.ToLower(issuer)+":aud"] = claims.Audiences
	ok, err := q.answer(role.Policy)
	return err == nil && ok // a policy that IAM would refuse lets nobody in
}

// chains gives the action that a role's trust policy refuses to a user or to a session of
// another role; empty: none.
func chains(r *http.Request, form values, role trust.AWSRole, from session, tags map[string]string) string {
	partition, _, _ := strings.Cut(strings.TrimPrefix(from.role, "arn:"), ":")
	account := accountOf(from.role)
	q := question{
		principals: []string{from.role, from.arn, account, "arn:" + partition + ":iam::" + account + ":root"}, kind: "AWS",
		action: "sts:AssumeRole", context: requestContext(r, form),
	}
	if id := form.Get("ExternalId"); id != "" {
		q.context["sts:externalid"] = []string{id}
	}
	q.context["aws:principalarn"] = []string{from.role}
	q.context["aws:principalaccount"] = []string{account}
	for key, value := range from.transitive {
		q.context["aws:principaltag/"+strings.ToLower(key)] = []string{value}
	}
	for key, value := range tags {
		q.context["aws:requesttag/"+strings.ToLower(key)] = []string{value}
	}
	if len(tags) > 0 {
		q.context["aws:tagkeys"] = slices.Collect(maps.Keys(tags))
	}
	if ok, err := q.answer(role.Policy); err != nil || !ok {
		return q.action
	}
	if len(tags)+len(from.transitive) == 0 {
		return ""
	}
	q.action = "sts:TagSession"
	if ok, err := q.answer(role.Policy); err != nil || !ok {
		return q.action
	}
	return ""
}

// requestContext are the condition keys of every request.
func requestContext(r *http.Request, form values) map[string][]string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	now := time.Now()
	return map[string][]string{
		"aws:sourceip": {host}, "aws:securetransport": {strconv.FormatBool(r.TLS != nil)}, "aws:useragent": {r.UserAgent()},
		"aws:currenttime": {now.UTC().Format(time.RFC3339)}, "aws:epochtime": {strconv.FormatInt(now.Unix(), 10)},
		"sts:rolesessionname": {form.Get("RoleSessionName")},
	}
}
