package plan

import (
	"fmt"
	"strings"
)

// nameSteps gives each step a name that no other has; those of several namespaces with
// the same name have it in front.
func nameSteps(list []*draft) {
	count := map[string]int{}
	for _, d := range list {
		count[label(d.Workload.Kind+"-"+d.Workload.Name)]++
	}
	taken := map[string]bool{}
	for _, d := range list {
		name := label(d.Workload.Kind + "-" + d.Workload.Name)
		if count[name] > 1 {
			name = label(d.Workload.Namespace + "-" + d.Workload.Kind + "-" + d.Workload.Name)
		}
		for n := 2; taken[name]; n++ {
			name = label(fmt.Sprintf("%d-%s", n, name))
		}
		taken[name] = true
		d.Name = name
	}
}

// longestLabel leaves room in a DNS label for what the objects of a step have in front.
const longestLabel = 63 - len("podpass-migrate-")

func label(text string) string {
	text = strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	if len(text) > longestLabel {
		text = text[:longestLabel]
	}
	return strings.Trim(text, "-")
}
