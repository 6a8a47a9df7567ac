package aws

import (
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation"
)

// TestSessionName: what STS takes, whatever the pod is called; long names that begin
// alike stay apart.
func TestSessionName(t *testing.T) {
	pod := func(name string) federation.Claims {
		return federation.Claims{Subject: "system:serviceaccount:shop:orders", Namespace: "shop", ServiceAccount: "orders", Pod: name}
	}
	long := strings.Repeat("orders-", 20)
	for name, test := range map[string]struct {
		identity Identity
		claims   federation.Claims
		want     string
	}{
		"annotated":              {Identity{SessionName: "me"}, pod("orders-1"), "me"},
		"of a pod":               {Identity{}, pod("orders-1"), "shop.orders.orders-1"},
		"of no pod":              {Identity{}, pod(""), "shop.orders"},
		"of no Kubernetes token": {Identity{}, federation.Claims{Subject: "system:serviceaccount:shop:orders"}, "system-serviceaccount-shop-orders"},
		"of almost nobody":       {Identity{}, federation.Claims{Subject: "x"}, "podpass-x"},
		"of another alphabet":    {Identity{}, federation.Claims{Subject: "bücher/1"}, "b-cher-1"},
	} {
		if got := sessionName(test.identity, test.claims); got != test.want || !ValidSessionName(got) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	a, b := sessionName(Identity{}, pod(long+"a")), sessionName(Identity{}, pod(long+"b"))
	if a == b || len(a) != maxSessionName || !ValidSessionName(a) || !ValidSessionName(b) || a != sessionName(Identity{}, pod(long+"a")) {
		t.Errorf("%q and %q", a, b)
	}
}
