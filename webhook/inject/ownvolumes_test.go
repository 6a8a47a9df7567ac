package inject

import (
	"fmt"
	"testing"
)

// TestEarlierPlansVolumes: a volume that nobody mounts any more goes with the plan that
// added it, told by its name and content, and by the annotation where other webhooks have
// the same; the user's stays.
func TestEarlierPlansVolumes(t *testing.T) {
	const (
		empty  = `"emptyDir":{}`
		tokens = `"projected":{"sources":[{"serviceAccountToken":{"audience":"a","path":"token"}}]}`
		config = `"configMap":{"name":"c"}`
	)
	for name, test := range map[string]struct {
		source string
		once   string // what the annotation says
		notBy  string // and what does not tell it; "": the name and content are enough
	}{
		"podpass-gcp-config":   {empty, onceDirect, ""},
		"gcloud-config":        {empty, onceBroker, onceNone},
		"podpass-tokens":       {tokens, onceBroker, ""},
		"podpass-oidc-tokens":  {tokens, onceNone, ""},
		"podpass-kube-tokens":  {tokens, onceNone, ""},
		"podpass-kubeconfig":   {empty, onceNone, ""},
		"aws-iam-token":        {tokens, onceDirect, onceBroker},
		"gcp-iam-token":        {tokens, onceDirect, onceBroker},
		"azure-identity-token": {tokens, onceDirect, onceBroker},
	} {
		t.Run(name, func(t *testing.T) {
			stays := func(once, name, source string) bool {
				raw := fmt.Appendf(nil, `{"metadata":{"name":"p","annotations":{"podpass.io/injection":%q}},"spec":{"containers":[{"name":"a"}],"volumes":[{"name":%q,%s}]}}`, once, name, source)
				// An identity that needs no volume of those.
				a := benchAnswer("broker", 1)
				for _, v := range typed(t, apply(t, raw, plan(t, raw, a).Patch)).Spec.Volumes {
					if v.Name == name && (v.Projected == nil || v.Projected.Sources[0].ServiceAccountToken.Audience == "a") {
						return true
					}
				}
				return false
			}
			if stays(test.once, name, test.source) {
				t.Error("stays")
			}
			if test.notBy != "" && !stays(test.notBy, name, test.source) {
				t.Error("goes, though no plan of podpass's added it")
			}
			if !stays(test.once, "mine", test.source) {
				t.Error("the user's goes")
			}
			if name != "podpass-tokens" && !stays(test.once, name, config) {
				t.Error("goes, with a content that is not podpass's")
			}
		})
	}
}
