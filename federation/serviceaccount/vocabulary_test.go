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
		KeyOIDCAudiences: cloudOIDC, "example.com/aws-role": noCloud, "xpodpass.io/aws-x": noCloud,
	} {
		if got := cloudOf(key); got != want {
			t.Errorf("%s is of cloud %d, want %d", key, got, want)
		}
	}
}
