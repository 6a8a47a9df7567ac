package migrate

// Codes of what a scan finds: WI400 to WI409. Each has a heading in docs/errors.md.
const (
	codeUsed     = "WI400" // a static key that a workload reads
	codeUnused   = "WI401" // one that nothing reads
	codePossible = "WI402" // what may be one
	codeEnded    = "WI403" // one that has ended
	codePull     = "WI404" // one that only pulls images
	codeUnread   = "WI405" // a workload reads what could not be looked at
	codeMayNot   = "WI406" // something could not be read
	codeKept     = "WI407" // one that podpass migrate keeps for the way back
)
