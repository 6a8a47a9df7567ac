package kubetoken

import (
	"testing"

	"k8s.io/client-go/rest"
)

// TestAccountKey: whatever makes it another token makes it another key, and nothing else.
func TestAccountKey(t *testing.T) {
	base := func() *account {
		return &account{
			config:  &rest.Config{Host: "https://a.example.com", TLSClientConfig: rest.TLSClientConfig{CAData: []byte("a")}},
			context: "a", namespace: "ci", name: "deployer", audience: "prod-us",
		}
	}
	key := base().key()
	for name, change := range map[string]func(*account){
		"context":        func(a *account) { a.context = "b" },
		"server":         func(a *account) { a.config.Host = "https://b.example.com" },
		"CA":             func(a *account) { a.config.CAData = []byte("b") },
		"CA file":        func(a *account) { a.config.CAFile = "b" },
		"server's name":  func(a *account) { a.config.ServerName = "b" },
		"user":           func(a *account) { a.config.Impersonate.UserName = "b" },
		"namespace":      func(a *account) { a.namespace = "b" },
		"ServiceAccount": func(a *account) { a.name = "b" },
		"audience":       func(a *account) { a.audience = "b" },
		"a moved border": func(a *account) { a.namespace, a.name = "cid", "eployer" },
	} {
		a := base()
		change(a)
		if a.key() == key {
			t.Errorf("%s: the key is the same", name)
		}
	}
	if again := base(); again.key() != key {
		t.Error("the same has another key")
	}
}
