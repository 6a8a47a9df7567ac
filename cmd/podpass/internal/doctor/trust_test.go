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

const (
	email        = "orders@example-project.iam.gserviceaccount.com"
	otherEmail   = "other@example-project.iam.gserviceaccount.com"
	poolProvider = "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo"
	client       = "11111111-2222-3333-4444-555555555555"
	otherClient  = "22222222-3333-4444-5555-666666666666"
)

// poolDocument is a provider, as gcloud prints it, that takes tokens of
// https://oidc.example.com.
const poolDocument = `{"name": "` + poolProvider + `", "attributeMapping": {"google.subject": "assertion.sub"}, "oidc": {"issuerUri": "https://oidc.example.com"}}
`

// policyDocument is a service account's IAM policy that lets one subject in: as gcloud prints
// it, or with its resource, as podpass trust gcp does.
func policyDocument(email, subject string) string {
	bindings := `"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": ["principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/` + subject + `"]}]`
	if email == "" {
		return `{"etag": "x", ` + bindings + `}
`
	}
	return `{"pools": [], "providers": [], "policies": [{"resource": "projects/example-project/serviceAccounts/` + email + `", ` + bindings + `}]}
`
}

// credentialDocument is a federated credential for one subject: in a list as az prints it, or
// of a client ID, as podpass trust azure has it.
func credentialDocument(client, subject string) string {
	list := `[{"name": "orders", "issuer": "https://oidc.example.com", "subject": "` + subject + `", "audiences": ["api://AzureADTokenExchange"]}]`
	if client == "" {
		return list
	}
	return `{"identities": [{"clientId": "` + client + `", "federatedIdentityCredentials": ` + list + `}]}
`
}

// TestTrusted: the documents of --trust are held against a token of the ServiceAccount,
// those of its own identity alone, as far as they tell whose they are.
func TestTrusted(t *testing.T) {
	const own = "system:serviceaccount:shop:orders"
	inGCP := map[string]string{"cloud.google.com/workload-identity-provider": poolProvider, "cloud.google.com/service-account-email": email}
	direct := map[string]string{"cloud.google.com/workload-identity-provider": poolProvider}
	inAzure := map[string]string{"azure.workload.identity/client-id": client, "azure.workload.identity/tenant-id": "99999999-8888-7777-6666-555555555555"}
	policyAlone := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com"},
		"Condition": {"StringEquals": {"oidc.example.com:aud": "sts.amazonaws.com", "oidc.example.com:sub": "` + own + `"}}}]}`
	for name, test := range map[string]struct {
		documents, want, says string
		annotations           map[string]string // nil: of a role
	}{
		"sound":                      {documents: roleDocument("orders", own)},
		"among others":               {documents: roleDocument("other", "x") + roleDocument("orders", own)},
		"another's subject":          {documents: roleDocument("orders", "system:serviceaccount:shop:order"), want: "WI2", says: own},
		"another role":               {documents: roleDocument("other", own), want: codeNoDocument, says: role},
		"the other way round":        {documents: roleDocument("other", own) + roleDocument("orders", "x"), want: "WI2", says: own},
		"a role of another account":  {documents: strings.ReplaceAll(roleDocument("orders", own), "111122223333", "999999999999"), want: codeNoDocument, says: role},
		"a role without its ARN":     {documents: strings.Replace(roleDocument("orders", own), `"Arn": "`+role+`", `, "", 1)},
		"another role without ARN":   {documents: strings.Replace(roleDocument("other", own), `"Arn": "arn:aws:iam::111122223333:role/other", `, "", 1), want: codeNoDocument, says: role},
		"a trust policy alone":       {documents: policyAlone, want: codeUnnamed, says: role},
		"a policy, and the role too": {documents: policyAlone + roleDocument("orders", own)},

		"a service account":                         {annotations: inGCP, documents: poolDocument + policyDocument(email, own)},
		"a service account among others":            {annotations: inGCP, documents: poolDocument + policyDocument(otherEmail, "x") + policyDocument(email, own)},
		"another service account":                   {annotations: inGCP, documents: poolDocument + policyDocument(otherEmail, own), want: codeNoDocument, says: email},
		"another lets in, and the own does not":     {annotations: inGCP, documents: poolDocument + policyDocument(otherEmail, own) + policyDocument(email, "x"), want: "WI244", says: own},
		"a policy of nobody":                        {annotations: inGCP, documents: poolDocument + policyDocument("", own), want: codeUnnamed, says: "gcloud iam service-accounts get-iam-policy EMAIL"},
		"of nobody, and the own does not":           {annotations: inGCP, documents: poolDocument + policyDocument("", own) + policyDocument(email, "x"), want: "WI244", says: own},
		"a policy of nobody that does not let in":   {annotations: inGCP, documents: poolDocument + policyDocument("", "x"), want: codeUnnamed, says: "WI244"},
		"the provider alone":                        {annotations: inGCP, documents: poolDocument, want: "WI254"},
		"no service account, a policy of something": {annotations: direct, documents: poolDocument + policyDocument("", own)},
		"no service account, a policy of one":       {annotations: direct, documents: poolDocument + policyDocument(email, own), want: codeNoDocument},

		"an application":                          {annotations: inAzure, documents: credentialDocument(strings.ToUpper(client), own)},
		"another application":                     {annotations: inAzure, documents: credentialDocument(otherClient, own), want: codeNoDocument, says: client},
		"another lets in, and the own one not":    {annotations: inAzure, documents: credentialDocument(otherClient, own) + credentialDocument(client, "x"), want: "WI264", says: own},
		"credentials of nobody":                   {annotations: inAzure, documents: credentialDocument("", own), want: codeUnnamed, says: "az identity federated-credential list"},
		"credentials of nobody, and the own ones": {annotations: inAzure, documents: credentialDocument("", "x") + credentialDocument(client, own)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			config := &rest.Config{Host: a.issuer, ContentConfig: rest.ContentConfig{ContentType: "application/json"}, TLSClientConfig: rest.TLSClientConfig{CAFile: a.caFile}}
			c := &broken{api: tamper{at: "/token", edit: editToken(func(_, claims map[string]any) { claims["iss"] = "https://oidc.example.com" })}}
			w := newWorld(t, "shop", publicClouds)
			if test.annotations != nil {
				w.account.Annotations, w.pods = test.annotations, nil
			}
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
				text += f.String() + " " + f.Command + "\n"
			}
			if (test.want == "") != (text == "") || !strings.HasPrefix(text, test.want) || !strings.Contains(text, test.says) {
				t.Errorf("found %s, want %q", text, test.want)
			}
		})
	}
}
