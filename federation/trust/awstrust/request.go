package awstrust

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// Request is what STS would be asked.
type Request struct {
	// Claims of the token.
	Claims federation.Claims
	// Context are further condition keys and their values ("aws:SourceIp"), in any case.
	// Keys that are not given, and that a request always has, make a condition on them
	// undecided.
	Context map[string]string
	// Now is aws:CurrentTime; zero: the time of the call.
	Now time.Time
}

// issuer is the claim's as ARNs and condition keys have it, without https://.
func (r Request) issuer() string { return strings.TrimPrefix(r.Claims.Issuer, "https://") }

// presence of a condition key in the request.
type presence int

const (
	absent    presence = iota
	present            // its values are known
	undecided          // it depends on the request, of which it is not known
)

// lookup gives the values of a condition key. Keys are in any case.
func (r Request) lookup(key string) ([]string, presence) {
	for name, value := range r.Context {
		if strings.EqualFold(name, key) {
			return []string{value}, present
		}
	}
	lower := strings.ToLower(key)
	if claim, ok := r.claim(lower); ok {
		switch claim {
		case "sub":
			return []string{r.Claims.Subject}, present
		case "aud":
			return r.Claims.Audiences, present
		}
		return nil, absent // amr, and what AWS does not read of a token
	}
	now := r.Now
	if now.IsZero() {
		now = time.Now()
	}
	switch lower {
	case "aws:currenttime":
		return []string{federation.Timestamp(now)}, present
	case "aws:epochtime":
		return []string{strconv.FormatInt(now.Unix(), 10)}, present
	case "aws:securetransport":
		return []string{"true"}, present
	}
	if never(lower) || foreign(lower) {
		return nil, absent
	}
	return nil, undecided
}

// claim is the part of a key after the issuer of the token: "sub".
func (r Request) claim(lowerKey string) (string, bool) {
	name, ok := strings.CutPrefix(lowerKey, strings.ToLower(r.issuer())+":")
	if !ok {
		return "", false
	}
	return name, true
}

// foreign reports whether a key is a claim of some issuer: that of this token has been
// looked at. Services' own keys have no dot and no slash before the colon.
func foreign(lowerKey string) bool {
	colon := strings.LastIndexByte(lowerKey, ':')
	if strings.HasPrefix(lowerKey, "aws:") { // a tag may have any name
		return false
	}
	return colon > 0 && strings.ContainsAny(lowerKey[:colon], "./")
}

// never reports whether a request of AssumeRoleWithWebIdentity, which nobody signs and
// podpass sends without tags, has no such key.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func never(lowerKey string) bool {
	if slices.Contains([]string{
		"sts:externalid", "sts:sourceidentity", "sts:transitivetagkeys", "sts:awsservicename",
		"aws:tagkeys", "aws:userid", "aws:username", "aws:sourceaccount", "aws:sourcearn",
		"aws:sourceorgid", "aws:sourceorgpaths", "aws:tokenissuetime", "aws:federatedprovider", "aws:sourceidentity",
	}, lowerKey) {
		return true
	}
	for _, prefix := range []string{"aws:principal", "aws:requesttag/", "aws:multifactorauth", "aws:calledvia", "saml:"} {
		if strings.HasPrefix(lowerKey, prefix) {
			return true
		}
	}
	return false
}
