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
	full := strings.Repeat("p", maxSessionName-len("shop.orders."))
	for name, test := range map[string]struct {
		identity Identity
		claims   federation.Claims
		want     string
	}{
		"annotated":              {Identity{SessionName: "me"}, pod("orders-1"), "me"},
		"of a pod":               {Identity{}, pod("orders-1"), "shop.orders.orders-1"},
		"of no pod":              {Identity{}, pod(""), "shop.orders"},
		"of no Kubernetes token": {Identity{}, federation.Claims{Subject: "system:serviceaccount:shop:orders"}, "system-serviceaccount-shop-orders"},
		"of two letters":         {Identity{}, federation.Claims{Subject: "xy"}, "xy"},
		"as long as may be":      {Identity{}, pod(full), "shop.orders." + full},
		"all that STS takes":     {Identity{}, pod("azAZ09_+=,.@-"), "shop.orders.azAZ09_+=,.@-"},
		"of almost nobody":       {Identity{}, federation.Claims{Subject: "x"}, "podpass-x"},
		"of another alphabet":    {Identity{}, federation.Claims{Subject: "bücher/1"}, "b-cher-1"},
	} {
		if got := sessionName(test.identity, test.claims); got != test.want || !ValidSessionName(got) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if got := sessionName(Identity{}, pod(full+"x")); len(got) != maxSessionName || got[:maxSessionName-9] != ("shop.orders." + full)[:maxSessionName-9] || got[maxSessionName-9] != '-' {
		t.Errorf("one too long: %q", got)
	}
	a, b := sessionName(Identity{}, pod(long+"a")), sessionName(Identity{}, pod(long+"b"))
	if a == b || len(a) != maxSessionName || !ValidSessionName(a) || !ValidSessionName(b) || a != sessionName(Identity{}, pod(long+"a")) {
		t.Errorf("%q and %q", a, b)
	}
}
