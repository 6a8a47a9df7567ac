package serviceaccount

import (
	"regexp"
	"strconv"
	"strings"
)

// BrokerResource is a request or a limit of the broker's container.
type BrokerResource struct {
	Limit bool
	// Name is "cpu" or "memory".
	Name string
}

var quantityPattern = regexp.MustCompile(`^(\d{1,12})(m|Ki|Mi|Gi|k|M|G)?$`)

// factors of a quantity, in thousandths of a CPU, and in bytes.
var factors = map[string]map[string]int64{
	"cpu":    {"": 1000, "m": 1},
	"memory": {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30},
}

// The broker needs some 13 MiB, and nobody more than the most.
var (
	leastResources = map[string]int64{"cpu": 1, "memory": 16 << 20}
	mostResources  = map[string]int64{"cpu": 8000, "memory": 8 << 30}
)

// brokerResources reads one annotation, over what weaker ones have said.
func (r *resolver) brokerResources(v value) {
	asked := map[BrokerResource]int64{}
	for item := range strings.SplitSeq(v.text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		key, text, _ := strings.Cut(item, "=")
		list, name, _ := strings.Cut(strings.TrimSpace(key), ".")
		text = strings.TrimSpace(text)
		n, ok := resourceUnits(name, text)
		if !ok || list != "requests" && list != "limits" {
			r.fail(CodeResources, value{where: v.where, text: item}, "is not a request or limit of the broker: want cpu from 1m to 8, memory from 16Mi to 8Gi",
				"write it as limits.memory=256Mi, or remove it")
			continue
		}
		of := BrokerResource{Limit: list == "limits", Name: name}
		asked[of] = n
		if r.answer.BrokerResources == nil {
			r.answer.BrokerResources = map[BrokerResource]string{}
		}
		r.answer.BrokerResources[of] = text
	}
	for _, name := range []string{"cpu", "memory"} {
		request, ok := asked[BrokerResource{Name: name}]
		limit, both := asked[BrokerResource{Limit: true, Name: name}]
		if ok && both && request > limit {
			r.fail(CodeResources, v, "requests more "+name+" than its limit", "raise the limit, or lower the request")
		}
	}
}

func resourceUnits(name, text string) (int64, bool) {
	m := quantityPattern.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	factor, ok := factors[name][m[2]]
	n, err := strconv.ParseInt(m[1], 10, 64)
	if !ok || err != nil || n > mostResources[name] {
		return 0, false
	}
	n *= factor
	return n, n >= leastResources[name] && n <= mostResources[name]
}
