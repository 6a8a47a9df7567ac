package trust

import "testing"

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
