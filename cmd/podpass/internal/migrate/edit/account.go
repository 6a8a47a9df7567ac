package edit

import "encoding/json"

// Account gives the operations by which a pod template of a workload, as JSON, runs as
// another ServiceAccount; none: there is no such template.
func Account(object []byte, template, name string) []Op {
	var root map[string]any
	if json.Unmarshal(object, &root) != nil {
		return nil
	}
	pod, ok := find(root, template)
	if !ok {
		return nil
	}
	spec := node{m: pod, at: template}.object("spec")
	ops := []Op{{"add", spec.path("serviceAccountName"), encode(name)}}
	// The field's old name says the same where the API server has set defaults.
	if spec.text("serviceAccount") != "" {
		ops = append(ops, Op{"add", spec.path("serviceAccount"), encode(name)})
	}
	return ops
}
