package kubedoctor

// Codes of what only this command finds: WI360 to WI379. What a configuration says of a
// token has kubetrust's. Each has a heading in docs/errors.md.
const (
	codeUnreachable  = "WI360" // the API server does not answer
	codeOldServer    = "WI361" // it knows no AuthenticationConfiguration
	codeClock        = "WI362" // its clock is not ours
	codeCredential   = "WI363" // the kubeconfig's program gives no credential
	codeIssuerURL    = "WI364" // the issuer is not https
	codeCertificate  = "WI365" // its certificate is not of whom the API server trusts
	codeDiscovery    = "WI366" // its discovery document cannot be read
	codeDocument     = "WI367" // ... names another issuer
	codeKeys         = "WI368" // its keys cannot be read
	codeNotPublished = "WI369" // the token's key is not among them
	codeRefused      = "WI370" // the API server does not take the token
	codeOther        = "WI371" // the API server answers otherwise than the configuration
	codeNotLoaded    = "WI372" // the API server has another configuration
	codeReload       = "WI373" // it did not take a change
	codeFetch        = "WI374" // it cannot fetch the issuer's keys
	codeMayNot       = "WI375" // this kubeconfig may not read something
	codeNoToken      = "WI376" // the kubeconfig's user signs in without a token
)
