package doctor

import (
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/trust"
)

// roleDocument is what `aws iam get-role` prints of a role that trusts one subject of
// https://oidc.example.com.
func roleDocument(name, subject string) string {
	return `{"Role": {"RoleName": "` + name + `", "Arn": "arn:aws:iam::111122223333:role/` + name + `", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{
		"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com"},
		"Condition": {"StringEquals": {"oidc.example.com:aud": "sts.amazonaws.com", "oidc.example.com:sub": "` + subject + `"}}}]}}}`
}

// TestTrusted: the documents of --trust are held against a token of the ServiceAccount,
// those of its own role alone.
func TestTrusted(t *testing.T) {
	const own = "system:serviceaccount:shop:orders"
	for name, test := range map[string]struct{ documents, want, says string }{
		"sound":               {roleDocument("orders", own), "", ""},
		"among others":        {roleDocument("other", "x") + roleDocument("orders", own), "", ""},
		"another's subject":   {roleDocument("orders", "system:serviceaccount:shop:order"), "WI2", own},
		"another role":        {roleDocument("other", own), codeNoDocument, role},
		"the other way round": {roleDocument("other", own) + roleDocument("orders", "x"), "WI2", own},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			config := &rest.Config{Host: a.issuer, ContentConfig: rest.ContentConfig{ContentType: "application/json"}, TLSClientConfig: rest.TLSClientConfig{CAFile: a.caFile}}
			c := &broken{api: tamper{at: "/token", edit: editToken(func(_, claims map[string]any) { claims["iss"] = "https://oidc.example.com" })}}
			w := newWorld(t, "shop", publicClouds)
			direct, err := kubernetes.NewForConfig(config)
			if err != nil {
				t.Fatal(err)
			}
			w.build(t, direct)
			client, err := kubernetes.NewForConfig(c.proxy(t, config))
			if err != nil {
				t.Fatal(err)
			}
			documents, err := trust.ReadDocuments(strings.NewReader(test.documents), []string{"-"})
			if err != nil {
				t.Fatal(err)
			}
			r := newRun(client, config, Options{Trust: documents})
			if err := r.addAccount(t.Context(), "shop", "orders"); err != nil {
				t.Fatal(err)
			}
			list, err := r.trusted(t.Context(), r.accounts["shop/orders"])
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, f := range list {
				text += f.String() + "\n"
			}
			if (test.want == "") != (text == "") || !strings.HasPrefix(text, test.want) || !strings.Contains(text, test.says) {
				t.Errorf("found %s, want %q", text, test.want)
			}
		})
	}
}
