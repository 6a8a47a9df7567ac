// Package aws trades a bound ServiceAccount token for temporary AWS credentials:
// STS AssumeRoleWithWebIdentity, and AssumeRole from there.
package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/podpass-io/podpass/federation"
)

// DefaultAudience is the token audience that an IAM OIDC provider for IRSA expects.
const DefaultAudience = "sts.amazonaws.com"

// Identity is the AWS identity that a ServiceAccount asks for.
type Identity struct {
	// RoleARN is the role for AssumeRoleWithWebIdentity.
	RoleARN string `json:"roleARN"`
	// Audience of the subject token; DefaultAudience unless annotated.
	Audience string `json:"audience"`
	// Region of the STS endpoint, and AWS_REGION in the container; empty: that of the
	// role's partition, for STS alone.
	Region string `json:"region,omitempty"`
	// SessionName; empty: derived from the token's namespace, ServiceAccount and pod.
	SessionName string `json:"sessionName,omitempty"`
	// SessionDuration in seconds, 900..43200; 0: STS's default of one hour. With
	// Chain it is that of the last role, at most 3600.
	SessionDuration int `json:"sessionDuration,omitempty"`
	// SessionPolicy is an inline JSON policy for the last session; empty: none.
	SessionPolicy string `json:"sessionPolicy,omitempty"`
	// Chain lists further roles to assume, in order, each with the credentials of
	// the one before.
	Chain []string `json:"chain,omitempty"`
	// ExternalID is sent with each AssumeRole of Chain.
	ExternalID string `json:"externalID,omitempty"`
	// SessionTags sends the tags of EKS Pod Identity with the first AssumeRole of
	// Chain; they are transitive, so the sessions after it have them too.
	SessionTags bool `json:"sessionTags,omitempty"`
	// ClusterARN and ClusterName are two of these tags, which no token tells; empty:
	// not sent.
	ClusterARN  string `json:"clusterARN,omitempty"`
	ClusterName string `json:"clusterName,omitempty"`
	// Others are further roles of the same subject token, each served by its name;
	// they have the session name, and none of the other options.
	Others []NamedRole `json:"others,omitempty"`
}

// NamedRole is a role that containers choose by name.
type NamedRole struct {
	Name    string `json:"name"`
	RoleARN string `json:"roleARN"`
}

// Other is the identity of a further role.
func (i Identity) Other(r NamedRole) Identity {
	return Identity{RoleARN: r.RoleARN, Audience: i.Audience, Region: i.Region, SessionName: i.SessionName}
}

// Validate reports all that is wrong with an identity, each problem with the name of
// its JSON field.
func (i Identity) Validate() error {
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	role := func(field, arn string) {
		if _, err := ParseRoleARN(arn); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
			return
		}
		bad(PartitionOf(arn) == PartitionOf(i.RoleARN), "%s: is in another partition than roleARN, whose STS does not know it", field)
	}
	role("roleARN", i.RoleARN)
	bad(i.Audience != "", "audience: required; the IAM OIDC provider's, usually %s", DefaultAudience)
	bad(i.Region == "" || ValidRegion(i.Region), "region: %.40q is not a region's name", i.Region)
	bad(i.SessionName == "" || ValidSessionName(i.SessionName), "sessionName: %.80q: want 2 to 64 letters, digits and _+=,.@-", i.SessionName)
	// That a chained session has an hour at most is STS's to say, whose answer is explained.
	bad(i.SessionDuration == 0 || i.SessionDuration >= MinSessionDuration && i.SessionDuration <= MaxSessionDuration, "sessionDuration: %d is not in %d..%d seconds", i.SessionDuration, MinSessionDuration, MaxSessionDuration)
	bad(i.SessionPolicy == "" || object(i.SessionPolicy) && utf8.RuneCountInString(i.SessionPolicy) <= MaxSessionPolicy, "sessionPolicy: is not a JSON object of at most %d characters", MaxSessionPolicy)
	for n, arn := range i.Chain {
		role(fmt.Sprintf("chain[%d]", n), arn)
	}
	bad(i.ExternalID == "" || ValidExternalID(i.ExternalID), "externalID: want 2 to 1224 letters, digits and _+=,.@:/-")
	bad(i.ExternalID == "" || len(i.Chain) > 0, "externalID: belongs to a chain, and there is none")
	bad(!i.SessionTags || len(i.Chain) > 0, "sessionTags: belong to a chain, and there is none")
	bad(i.ClusterARN == "" || ValidTag(i.ClusterARN), "clusterARN: cannot be the value of a session tag")
	bad(i.ClusterName == "" || ValidTag(i.ClusterName), "clusterName: cannot be the value of a session tag")
	names := map[string]bool{}
	for n, o := range i.Others {
		bad(federation.ValidName(o.Name), "others[%d].name: %.40q is not 1 to 32 lower case letters, digits and -", n, o.Name)
		bad(!names[o.Name], "others[%d].name: %.40q is there twice", n, o.Name)
		names[o.Name] = true
		role(fmt.Sprintf("others[%d].roleARN", n), o.RoleARN)
	}
	return errors.Join(errs...)
}

func object(text string) bool {
	var doc map[string]json.RawMessage
	return json.Unmarshal([]byte(text), &doc) == nil && doc != nil
}
