// Package aws trades a bound ServiceAccount token for temporary AWS credentials:
// STS AssumeRoleWithWebIdentity, and AssumeRole from there.
package aws

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
