package kubetrust

// Codes of findings: WI310 to WI349. Each has a heading in docs/errors.md.
const (
	CodeMalformed        = "WI310" // not an AuthenticationConfiguration
	CodeInvalid          = "WI311" // one that the API server does not take
	CodeToken            = "WI312" // not a JWT
	CodeIssuer           = "WI313" // no issuer of the configuration
	CodeIssuerSpelling   = "WI314" // an issuer, spelled otherwise
	CodeAlgorithm        = "WI315" // an algorithm that the API server does not take
	CodeSignature        = "WI316" // no key verifies the token
	CodeUnverified       = "WI317" // nobody looked at the signature
	CodeAudience         = "WI318" // another audience
	CodeAudienceSpelling = "WI319" // the audience, spelled otherwise
	CodeExpired          = "WI320" // expired, or not valid yet
	CodeUsername         = "WI321" // no username comes out
	CodeEmail            = "WI322" // an email that nobody verified, or that may be given to another
	CodeGroups           = "WI323" // groups that are not in the token, or not as expected
	CodeOverage          = "WI324" // more groups than the provider puts in a token
	CodeTenant           = "WI325" // a token of another tenant
	CodeClaimRule        = "WI326" // a claimValidationRule refuses the token
	CodeUserRule         = "WI327" // a userValidationRule refuses the user
	CodeMapping          = "WI328" // uid or extra cannot be made of the token
	CodeRefused          = "WI329" // the API server's own words, and no better explanation
	CodeSystem           = "WI330" // a user or group of Kubernetes' own
	CodePrefix           = "WI331" // names without a prefix
	CodeAnybody          = "WI332" // an issuer that gives tokens to anybody, and no rule
	CodeBroadAudience    = "WI333" // an audience that tokens for others have
	CodeForbidden        = "WI334" // RBAC does not allow it
	CodeRoleMissing      = "WI335" // a binding whose role was not given
	CodeCollision        = "WI336" // two issuers that can make one name
	CodeUnbound          = "WI337" // no binding for the user, nor for a group

	// What Render finds.
	CodePreset  = "WI340" // an issuer that is not described well enough
	CodeName    = "WI341" // a name that cannot be a prefix
	CodeSame    = "WI342" // two issuers with one name or URL
	CodeFlags   = "WI343" // what the flags of older API servers cannot say
	CodePattern = "WI344" // a right that cannot be rendered
	CodeMoved   = "WI345" // a claim that does not stay the person's
	CodeReach   = "WI346" // an issuer whose keys the API server may not reach
)
