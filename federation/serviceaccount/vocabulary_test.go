package serviceaccount

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The chart's ValidatingWebhookConfiguration sends the ServiceAccounts whose
// annotations have one of the prefixes, and no others, to podpass.
func TestChartHasTheVocabularies(t *testing.T) {
	chart, err := os.ReadFile("../../charts/podpass/templates/webhook.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lists := regexp.MustCompile(`\[([^]]*)\]\.exists\(p, k\.startsWith\(p\)\)`).FindAllStringSubmatch(string(chart), -1)
	if len(lists) == 0 {
		t.Fatal("the chart has no list of prefixes")
	}
	var want []string
	for _, v := range vocabularies {
		want = append(want, "'"+v.prefix+"'")
	}
	for _, l := range lists {
		if got := strings.Split(l[1], ", "); !slices.Equal(got, want) {
			t.Errorf("the chart has %v, the code %v", got, want)
		}
	}
}

// Each key is of a vocabulary, and of the cloud that its name says.
func TestCloudOf(t *testing.T) {
	for _, k := range Keys() {
		if !vocabulary(k.Name) {
			t.Errorf("%s is of no vocabulary", k.Name)
		}
	}
	for key, want := range map[string]cloud{
		KeyMode: noCloud, KeyBrokerPort: noCloud, KeyAWSRegion: cloudAWS, KeyEKSAudience: cloudAWS,
		KeyGCPProject: cloudGCP, KeyGoogleAudience: cloudGCP, KeyGKEQuotaProject: cloudGCP, KeyAzureTenantID: cloudAzure, KeyAzureWIProxy: cloudAzure,
		KeyOIDCAudiences: cloudOIDC, KeyKubeClusters: cloudKube, "example.com/aws-role": noCloud, "xpodpass.io/aws-x": noCloud,
	} {
		if got := cloudOf(key); got != want {
			t.Errorf("%s is of cloud %d, want %d", key, got, want)
		}
	}
}

// The distance is Levenshtein's, as far as the limit.
func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b  string
		limit int
		want  int
	}{
		{"", "", 9, 0},
		{"abc", "abc", 9, 0},
		{"", "abc", 9, 3},
		{"abc", "", 9, 3},
		{"kitten", "sitting", 9, 3},
		{"xabc", "abc", 9, 1},
		{"abc", "yxabc", 9, 2},
		{"flaw", "lawn", 9, 2},
		{"abcd", "badc", 9, 3},
		{"abc", "xyz", 9, 3},
		{"abc", "xyz", 3, 3},
		{"abc", "abcxyz", 3, 3},
		{"abcxyz", "abc", 3, 3},
		{"abcxy", "abc", 3, 2},
		{"abcdef", "uvwxyz", 3, 3},
	} {
		if got := distance(test.a, test.b, test.limit); got != test.want {
			t.Errorf("%q, %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
