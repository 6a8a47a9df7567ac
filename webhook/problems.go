package webhook

import (
	"fmt"
	"strings"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Bounds of what an answer says, in bytes. The API server cuts the warnings of a
// request at 4 KiB in all, and a client shows a denial as one line.
const (
	maxWarning  = 1000 // the fix stands last
	maxWarnings = 3800
	maxDenial   = 4000
	maxCodes    = 250
)

// warnings are what the client is shown of problems, each with a prefix.
func warnings(prefix string, problems []serviceaccount.Problem) []string {
	var list []string
	left := maxWarnings
	for i, p := range problems {
		text := federation.Clip(prefix+"podpass: "+p.String(), maxWarning)
		if left -= len(text); left < 0 {
			return append(list, fmt.Sprintf("podpass: and %d more: %s", len(problems)-i, codes(problems[i:])))
		}
		list = append(list, text)
	}
	return list
}

func denial(problems []serviceaccount.Problem) string {
	var list []string
	left := maxDenial
	for i, p := range problems {
		text := federation.Clip(p.String(), maxDenial/2)
		if left -= len(text); left < 0 {
			list = append(list, fmt.Sprintf("and %d more: %s", len(problems)-i, codes(problems[i:])))
			break
		}
		list = append(list, text)
	}
	return "podpass: " + strings.Join(list, "; ")
}

// codes are those of problems, for logs and the API server's audit log.
func codes(problems []serviceaccount.Problem) string {
	var list []string
	for _, p := range problems {
		list = append(list, p.Code)
	}
	return federation.Clip(strings.Join(list, ","), maxCodes)
}
