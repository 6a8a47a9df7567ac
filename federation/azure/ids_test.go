package azure_test

import (
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/azure"
)

func TestIDs(t *testing.T) {
	const guid = "11111111-2222-3333-4444-5555abcdEF00"
	for text, want := range map[string]struct{ client, tenant bool }{
		guid:                                    {true, true},
		"contoso.example.com":                   {false, true},
		"":                                      {false, false},
		"orders":                                {false, false},
		"common":                                {false, false}, // a tenant of all tenants: no federated credential is there
		"{" + guid + "}":                        {false, false},
		guid + "\n":                             {false, false},
		" " + guid:                              {false, false},
		"urn:uuid:" + guid:                      {false, false},
		guid[:35] + "g":                         {false, false},
		guid + "/oauth2":                        {false, false},
		"a.example.com/../b.com":                {false, false},
		"-a.example.com":                        {false, false},
		strings.Repeat("abcdefgh.", 30) + "com": {false, false},
		strings.Repeat("a.", 125) + "com":       {false, true},
		strings.Repeat("a.", 124) + "aa.com":    {false, false}, // longer than a name in DNS
	} {
		if got := azure.ValidClientID(text); got != want.client {
			t.Errorf("client ID %q: %t", text, got)
		}
		if got := azure.ValidTenantID(text); got != want.tenant {
			t.Errorf("tenant ID %q: %t", text, got)
		}
	}
}
