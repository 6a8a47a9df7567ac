package trust

import "testing"

func TestUnreachable(t *testing.T) {
	const inside, private = "exists only inside of a cluster or a private network", "is an address of a private network"
	for issuer, want := range map[string]string{
		"https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE": "",
		"https://oidc.example.com:8443":                "",
		"https://203.0.113.7":                          "",
		"https://kubernetes.default.svc":               inside,
		"https://kubernetes.default.svc.cluster.local": inside,
		"https://Kubernetes.Default.SVC.":              inside,
		"https://api.corp.internal":                    inside,
		"https://svc.example.com":                      "",
		"https://kubernetes":                           "is a name without a domain",
		"https://10.0.0.1:6443":                        private,
		"https://127.0.0.1":                            private,
		"https://[fd00::1]:6443":                       private,
		"http://oidc.example.com":                      "is not an https URL",
		"kubernetes/serviceaccount":                    "is not an https URL",
		"":                                             "is not an https URL",
		"https://":                                     "is not an https URL",
		"https://%zz":                                  "is not an https URL",
	} {
		if got := Unreachable(issuer); got != want {
			t.Errorf("%s: %q, want %q", issuer, got, want)
		}
	}
}
