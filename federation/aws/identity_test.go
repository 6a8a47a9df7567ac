package aws_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation/aws"
	ft "github.com/podpass-io/podpass/federation/federationtest"
)

const (
	ordersRole  = "arn:aws:iam::111122223333:role/orders"
	partnerRole = "arn:aws:iam::444455556666:role/partner"
)

// TestIdentitiesAreValidated: each field that is wrong is named, and all of them at
// once.
func TestIdentitiesAreValidated(t *testing.T) {
	whole := func() aws.Identity {
		return aws.Identity{
			RoleARN: ordersRole, Audience: aws.DefaultAudience, Region: "eu-central-1", SessionName: "orders", SessionDuration: 3600, SessionPolicy: `{"Statement":[]}`,
			Chain: []string{partnerRole}, ExternalID: "orders-42", SessionTags: true, ClusterARN: "arn:aws:eks:eu-central-1:111122223333:cluster/main", ClusterName: "main",
			Others: []aws.NamedRole{{Name: "reports", RoleARN: "arn:aws:iam::111122223333:role/reports"}},
		}
	}
	for name, i := range map[string]aws.Identity{
		"all of it":         whole(),
		"a role, audience":  {RoleARN: ordersRole, Audience: "a"},
		"the longest":       {RoleARN: ordersRole, Audience: "a", SessionDuration: 43200, SessionPolicy: `{"x":"` + strings.Repeat("ü", 2048-8) + `"}`},
		"the shortest":      {RoleARN: ordersRole, Audience: "a", SessionDuration: 900},
		"another partition": {RoleARN: "arn:minio:iam:::role/x", Audience: "a"},
	} {
		if err := i.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, test := range map[string]struct {
		spoil func(*aws.Identity)
		want  string
	}{
		"no role":               {func(i *aws.Identity) { *i = aws.Identity{Audience: "a"} }, "roleARN: "},
		"a user":                {func(i *aws.Identity) { i.RoleARN = "arn:aws:iam::111122223333:user/x" }, "roleARN: "},
		"no audience":           {func(i *aws.Identity) { i.Audience = "" }, "audience: "},
		"a region":              {func(i *aws.Identity) { i.Region = "evil.example.com/" }, "region: "},
		"a session name":        {func(i *aws.Identity) { i.SessionName = "a b" }, "sessionName: "},
		"too short":             {func(i *aws.Identity) { i.SessionDuration = 899 }, "sessionDuration: 899 is not in 900..43200"},
		"too long":              {func(i *aws.Identity) { i.SessionDuration = 43201; i.Chain = nil }, "is not in 900..43200"},
		"negative":              {func(i *aws.Identity) { i.SessionDuration = -1 }, "sessionDuration: -1"},
		"a policy, no object":   {func(i *aws.Identity) { i.SessionPolicy = "[]" }, "sessionPolicy: "},
		"a policy, null":        {func(i *aws.Identity) { i.SessionPolicy = "null" }, "sessionPolicy: "},
		"a policy, too long":    {func(i *aws.Identity) { i.SessionPolicy = `{"x":"` + strings.Repeat("ü", 2049-8) + `"}` }, "sessionPolicy: "},
		"a chained user":        {func(i *aws.Identity) { i.Chain = []string{partnerRole, "x"} }, "chain[1]: "},
		"another partition":     {func(i *aws.Identity) { i.Chain[0] = strings.Replace(partnerRole, ":aws:", ":aws-cn:", 1) }, "chain[0]: is in another partition"},
		"an external ID":        {func(i *aws.Identity) { i.ExternalID = "x y" }, "externalID: want"},
		"nothing to chain":      {func(i *aws.Identity) { i.Chain = nil }, "externalID: belongs"},
		"nothing to tag":        {func(i *aws.Identity) { i.Chain, i.ExternalID = nil, "" }, "sessionTags: "},
		"a tag":                 {func(i *aws.Identity) { i.ClusterARN = "a;b" }, "clusterARN: "},
		"another tag":           {func(i *aws.Identity) { i.ClusterName = "a;b" }, "clusterName: "},
		"a name":                {func(i *aws.Identity) { i.Others[0].Name = "../x" }, "others[0].name: "},
		"a name twice":          {func(i *aws.Identity) { i.Others = append(i.Others, i.Others[0]) }, "others[1].name: "},
		"another's role":        {func(i *aws.Identity) { i.Others[0].RoleARN = "" }, "others[0].roleARN: "},
		"all problems at once":  {func(i *aws.Identity) { i.Region, i.SessionName = "x", "x" }, "region: "},
		"and the other of them": {func(i *aws.Identity) { i.Region, i.SessionName = "x", "x" }, "sessionName: "},
	} {
		t.Run(name, func(t *testing.T) {
			i := whole()
			test.spoil(&i)
			if err := i.Validate(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestLifeIsWhatWasAskedFor: STS's answer ends in 2030. What it ends at by a clock of
// years ago is not believed: it would be served long after its end.
func TestLifeIsWhatWasAskedFor(t *testing.T) {
	for name, test := range map[string]struct {
		identity aws.Identity
		want     time.Duration
	}{
		"the default":      {aws.Identity{RoleARN: ordersRole}, time.Hour},
		"asked for":        {aws.Identity{RoleARN: ordersRole, SessionDuration: 7200}, 2 * time.Hour},
		"chained":          {aws.Identity{RoleARN: ordersRole, Chain: []string{partnerRole}}, time.Hour},
		"chained, shorter": {aws.Identity{RoleARN: ordersRole, Chain: []string{partnerRole}, SessionDuration: 900}, 15 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			c := &aws.Client{Identity: test.identity, Token: ft.Token{}, HTTP: &http.Client{Transport: new(recorded)}, Via: held{}}
			got, err := c.Credentials().Exchange(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			// A minute more is given to clocks that differ.
			if life := got.Expiry.Life(); life != test.want+time.Minute {
				t.Errorf("a life of %s, want %s and a minute", life, test.want)
			}
		})
	}
}
