package rotate

// Codes of findings of a rotation; docs/errors.md has a heading for each.
const (
	// CodeGone: a key of the rotation is not published any more.
	CodeGone = "WI290"
	// CodeTrust: an API server does not verify by the new key.
	CodeTrust = "WI291"
	// CodeSigner: an API server signs with another key than the others, or than is expected.
	CodeSigner = "WI292"
	// CodeSwitchedBack: an API server signs with the old key after the switch.
	CodeSwitchedBack = "WI293"
	// CodeState: the state file cannot be used.
	CodeState = "WI294"
	// CodeNewKey: the new key cannot take the old one's place.
	CodeNewKey = "WI295"
	// CodeEarly: an API server signs with the new key before verifiers have it.
	CodeEarly = "WI296"
	// CodeShort: the wait is shorter than caches on the way.
	CodeShort = "WI297"
)
