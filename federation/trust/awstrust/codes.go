package awstrust

// The codes of AWS's trust: WI200 to WI229. Each has a heading in docs/errors.md.
const (
	CodeMalformed       = "WI200" // IAM would not take the policy
	CodeServiceOnly     = "WI201" // the role trusts services of AWS only
	CodeAccountOnly     = "WI202" // the role trusts accounts, users and roles only
	CodeOtherIssuer     = "WI203" // the provider is another issuer's
	CodeTrailingSlash   = "WI204" // a / at the end makes another issuer
	CodeCase            = "WI205" // upper and lower case
	CodeAction          = "WI206" // the action is not sts:AssumeRoleWithWebIdentity
	CodeKeyForm         = "WI207" // an ARN or https:// in a condition key
	CodeKeyUnknown      = "WI208" // a key of another issuer, or of no claim that AWS reads
	CodeLiteralWildcard = "WI209" // * or ? under StringEquals
	CodeSwapped         = "WI210" // sub compared with the audience, or aud with the subject
	CodeSubject         = "WI211" // another subject
	CodeAudience        = "WI212" // another audience
	CodeClientID        = "WI213" // the provider does not list the audience
	CodeVariable        = "WI214" // a policy variable, which is not evaluated
	CodeDeny            = "WI215" // a Deny holds
	CodeKeyAbsent       = "WI216" // a key that no web identity has
	CodeRequest         = "WI217" // depends on what only the request tells
	CodeCondition       = "WI218" // another condition that does not hold
	CodeAccount         = "WI219" // the provider of another account or partition
	CodeUnreachable     = "WI220" // an issuer whose keys AWS cannot fetch
	CodePrincipalForm   = "WI221" // a Federated principal that is no provider's ARN

	// Trust that is broader than it need be.
	CodeAnySubject        = "WI222" // no sub
	CodeAcrossNamespaces  = "WI223" // a wildcard across namespaces
	CodeAnyAudience       = "WI224" // no aud
	CodeAnyPrincipal      = "WI225" // everyone is a principal
	CodeHoldsWhereMissing = "WI226" // IfExists and ForAllValues on sub or aud

	// What Render finds.
	CodeTooLong  = "WI227" // a limit of IAM
	CodeIdentity = "WI228" // no role to render, or annotations that deny its pods
	CodeChain    = "WI229" // ServiceAccounts that ask for different things of one role
)
