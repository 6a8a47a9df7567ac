package kubetoken

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// TestOptions: what is asked for is one thing, and whole.
func TestOptions(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		wrong   string
	}{
		"a ServiceAccount":           {Options{ServiceAccount: "a", Audience: "x"}, ""},
		"a file":                     {Options{TokenFile: "f"}, ""},
		"GitHub":                     {Options{GitHub: true, Audience: "x"}, ""},
		"GitHub, exchanged":          {Options{GitHub: true, Source: "s", SettingsFile: "f"}, ""},
		"a variable":                 {Options{TokenEnv: "KUBE_TOKEN", Audience: "x"}, ""},
		"a broker":                   {Options{Broker: true, Source: "s"}, ""},
		"nothing":                    {Options{Audience: "x"}, "want one source of the token, got 0"},
		"two":                        {Options{GitHub: true, TokenFile: "f", Audience: "x"}, "want one source of the token, got 2"},
		"a ServiceAccount, for whom": {Options{ServiceAccount: "a"}, "for which audience"},
		"GitHub, for whom":           {Options{GitHub: true}, "for which audience"},
		"a token for a name":         {Options{TokenEnv: "eyJhbGciOi.x.y"}, "--token-env: want the name of a variable"},
		"a variable with a dollar":   {Options{TokenEnv: "$TOKEN"}, "--token-env: want the name of a variable"},
		"two audiences":              {Options{GitHub: true, Audience: "a,b"}, "--audience: "},
		"a source without settings":  {Options{GitHub: true, Source: "s"}, "where is the token source s described"},
		"settings without a source":  {Options{TokenFile: "f", SettingsFile: "f"}, "without --source there is nothing in it"},
		"a broker without a source":  {Options{Broker: true}, "of which token source"},
		"a broker with settings":     {Options{Broker: true, Source: "s", SettingsFile: "f"}, "the broker has its own"},
		"a source that is a path":    {Options{Broker: true, Source: "../x"}, "is not the name of a token source"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.options.Validate()
			if (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("error %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "eyJ") {
				t.Error("the token is in the error")
			}
		})
	}
}

// TestArgs: what a kubeconfig says is read back as it was meant.
func TestArgs(t *testing.T) {
	want := Options{Audience: "x", GitHub: true, TokenEnv: "T", Broker: true, Source: "s"}
	var got Options
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	got.AddFlags(set)
	if err := set.Parse(want.Args()[2:]); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	args := (&Options{ServiceAccount: "deployer", Namespace: "ci", Context: "hub", Kubeconfig: "/k", Audience: "prod"}).Args()
	if diff := cmp.Diff([]string{"token", "kube", "deployer", "--namespace=ci", "--kubeconfig=/k", "--context=hub", "--audience=prod"}, args); diff != "" {
		t.Error(diff)
	}
}
