package broker_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/broker"
)

// TestNoPasswordInConfigurationProblems: an endpoint's password is not in the error, which
// goes to the log and the termination message, whether it comes by flag or by variable.
func TestNoPasswordInConfigurationProblems(t *testing.T) {
	const id = `{"oidc":{"sources":[{"name":"a","audience":"a","tokenURL":"https://podpass:hunter2@example.com"}]}}`
	for name, config := range map[string]broker.Config{
		"aws-sts-endpoint":             {AWSSTSEndpoint: "https://podpass:hunter2@example.com"},
		"gcp-sts-endpoint":             {GCPSTSEndpoint: "http://podpass:hunter2@example.com"},
		"gcp-iam-credentials-endpoint": {GCPIAMCredentialsEndpoint: "https://podpass:hunter2@example.com:x"},
		"azure-authority-host":         {AzureAuthorityHost: "podpass:hunter2@example.com"},
		"tokenURL":                     {Identities: id},
	} {
		config.Listen, config.Secret, config.LogLevel, config.LogFormat = "127.0.0.1:0", "s", "debug", "json"
		var logs bytes.Buffer
		_, err := broker.New(config, &logs)
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error()+logs.String(), "hunter2") {
			t.Errorf("%s: %v\n%s", name, err, logs.String())
		}
	}
}
