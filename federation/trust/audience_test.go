package trust

import "testing"

func TestForOthers(t *testing.T) {
	const issuer = "https://oidc.example.com/demo"
	for audience, want := range map[string]bool{
		"https://kubernetes.default.svc": true,
		issuer:                           true,
		"sts.amazonaws.com":              true,
		"api://AzureADTokenExchange":     false,
		"//iam.googleapis.com/x":         false,
	} {
		if got := ForOthers(audience, issuer, "api://AzureADTokenExchange"); got != want {
			t.Errorf("%s: %v, want %v", audience, got, want)
		}
	}
}
