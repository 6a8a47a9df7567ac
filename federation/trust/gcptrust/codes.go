package gcptrust

// Codes of findings; each has a heading in docs/errors.md.
const (
	CodeInactive          = "WI230" // the pool or the provider is disabled or deleted
	CodeNotOIDC           = "WI231" // the provider is for AWS or SAML
	CodeIssuer            = "WI232" // another issuer
	CodeIssuerSpelling    = "WI233" // the same issuer, spelled otherwise
	CodeIssuerUnreachable = "WI234" // an issuer that exists only in the cluster
	CodeKeys              = "WI235" // the uploaded JWKS cannot verify the token
	CodeAudience          = "WI236" // an audience that the provider does not allow
	CodeAudienceSpelling  = "WI237" // the provider's name, spelled otherwise
	CodeProjectID         = "WI238" // a project's ID where its number belongs
	CodeMapping           = "WI239" // an attribute mapping that gives no value
	CodeSubjectSize       = "WI240" // a google.subject that is empty or too long
	CodeCondition         = "WI241" // the attribute condition refuses the token
	CodeExpression        = "WI242" // an expression that cannot be evaluated
	CodeUnknownFunction   = "WI243" // an expression with what podpass does not evaluate
	CodeNoMember          = "WI244" // no binding names the principal
	CodeOtherPool         = "WI245" // the member is of another pool
	CodeMemberForm        = "WI246" // the member is not written as IAM reads it
	CodeRole              = "WI247" // the member has a role that does not let it in
	CodeBindingCondition  = "WI248" // the binding's condition does not hold
	CodeConditionUnknown  = "WI249" // the binding's condition is about what nobody knows here
	CodeBroadPool         = "WI250" // the whole pool, or everybody, may be the service account
	CodeBroadRole         = "WI251" // a role that gives more than tokens
	CodeBroadAudience     = "WI252" // an audience that tokens for others have, too
	CodeSharedSubject     = "WI253" // two clusters' tokens give the same principal
	CodeHalf              = "WI254" // only a provider, or only a policy, was given
	CodeConflict          = "WI255" // one provider for two issuers
	CodeName              = "WI256" // a name that Google does not take
	CodeDirect            = "WI257" // a principal for which no role was given
	CodePolicySize        = "WI258" // more members than a policy takes
	CodeIdentity          = "WI259" // a ServiceAccount that asks for nothing here, or is denied
)
