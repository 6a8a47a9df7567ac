package inject

import (
	"encoding/json"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

func TestSmoke(t *testing.T) {
	pod := []byte(`{"metadata":{"generateName":"x-","namespace":"n"},"spec":{"containers":[{"name":"a","image":"i","env":[{"name":"HTTP_PROXY","value":"x"}]}]}}`)
	for _, mode := range []serviceaccount.Mode{"broker", "direct"} {
		g := serviceaccount.Grant{Mode: mode, Source: "s"}
		a := serviceaccount.Answer{
			AWS:   &serviceaccount.AWS{Grant: g, Identity: aws.Identity{RoleARN: "arn:aws:iam::1:role/x", Audience: "sts.amazonaws.com"}},
			GCP:   &serviceaccount.GCP{Grant: g, Identity: gcp.Identity{Provider: "//iam", Audience: "//iam"}},
			Azure: &serviceaccount.Azure{Grant: g, Identity: azure.Identity{ClientID: "c", TenantID: "t", Audience: "a"}},
		}
		r, err := Plan(pod, a, Settings{Broker: BrokerSettings{Image: "img"}})
		if err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(r.Patch)
		p, err := jsonpatch.DecodePatch(b)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.ApplyIndent(pod, " ")
		if err != nil {
			t.Fatal(err)
		}
		t.Log(string(out), r.Warnings)
		r2, err := Plan(out, a, Settings{Broker: BrokerSettings{Image: "img"}})
		if err != nil || r2.Patch != nil {
			b, _ := json.Marshal(r2)
			t.Fatal(err, string(b))
		}
	}
}
