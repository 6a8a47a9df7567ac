package trust

import "testing"

func TestUnreachable(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://oidc.example.com/cluster-1":                 "",
		"https://203.0.113.7:6443":                           "",
		"https://oidc.example.internalize.com":               "",
		"http://oidc.example.com":                            "it is not https",
		"kubernetes/serviceaccount":                          "it is not a URL",
		"https://kubernetes.default.svc":                     "its host has a name only within the cluster or its network",
		"https://kubernetes.default.svc.cluster.local":       "its host has a name only within the cluster or its network",
		"https://KUBERNETES.default.svc.Cluster.Local.:6443": "its host has a name only within the cluster or its network",
		"https://kubernetes":                                 "its host has no domain",
		"https://10.0.0.1:6443":                              "its address is not a public one",
		"https://127.0.0.1":                                  "its address is not a public one",
		"https://[fd00::1]:6443":                             "its address is not a public one",
		"https://100.64.3.4":                                 "its address is not a public one",
		"https://169.254.1.1":                                "its address is not a public one",
	} {
		if got := Unreachable(issuer); got != want {
			t.Errorf("%s: got %q, want %q", issuer, got, want)
		}
	}
}

func TestSpelling(t *testing.T) {
	for _, test := range []struct{ a, b, want string }{
		{"https://a.example", "https://a.example", ""},
		{"https://a.example", "https://b.example", ""},
		{"https://a.example/x", "https://a.example", ""},
		{"https://a.example/", "https://a.example", "a trailing slash"},
		{"https://a.example", "https://a.example//", "a trailing slash"},
		{"https://A.example", "https://a.example", "letter case"},
		{"a.example", "https://a.example", "https:// before it"},
		{"a.example/", "https://a.example", "https:// before it and a trailing slash"},
		{" https://a.example", "https://a.example", "white space around it"},
		{"https://A.example/", "https://a.example", "a trailing slash and letter case"},
		{"system:serviceaccount:Shop:orders", "system:serviceaccount:shop:orders", "letter case"},
	} {
		if got := Spelling(test.a, test.b); got != test.want {
			t.Errorf("%q, %q: got %q, want %q", test.a, test.b, got, test.want)
		}
		if got := Spelling(test.b, test.a); got != test.want {
			t.Errorf("%q, %q: got %q, want %q", test.b, test.a, got, test.want)
		}
	}
}
