package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/trust"
	"github.com/podpass-io/podpass/test/cluster"
)

// TestClusterToken: a token of a real API server, traded at a cloud that verifies it
// by that API server's own discovery.
func TestClusterToken(t *testing.T) {
	const role, subject = "arn:aws:iam::111122223333:role/orders", "system:serviceaccount:default:orders"
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	for _, args := range [][]string{
		{"create", "serviceaccount", "orders"},
		{"annotate", "serviceaccount", "orders", "eks.amazonaws.com/role-arn=" + role},
		{"create", "serviceaccount", "plain"},
	} {
		if _, err := c.Kubectl(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	clouds := cloud.Start(t, trust.Config{
		Issuers: []trust.Issuer{{URL: c.Issuer, CAFile: c.CAFile}},
		AWS: trust.AWS{
			Providers: []trust.AWSProvider{{Account: "111122223333", Issuer: c.Issuer, Audiences: []string{aws.DefaultAudience}}},
			Roles:     []trust.AWSRole{{ARN: role, Issuer: c.Issuer, Audiences: []string{aws.DefaultAudience}, Subjects: []string{subject}}},
		},
	})
	ca, err := os.ReadFile(clouds.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(t.TempDir(), "settings.json")
	text, err := json.Marshal(map[string]any{
		"broker": map[string]any{"image": "example.com/podpass-broker:dev"}, "caBundle": string(ca),
		"aws": map[string]any{"stsEndpoints": map[string]string{"aws": clouds.AWS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(settings, text, 0o600); err != nil {
		t.Fatal(err)
	}
	// The installation's settings, as the chart writes them.
	for _, args := range [][]string{
		{"create", "namespace", "podpass-system"},
		{"create", "configmap", "podpass-webhook", "-n", "podpass-system", "--from-file=config.yaml=" + settings},
		{"label", "configmap", "podpass-webhook", "-n", "podpass-system", "app.kubernetes.io/name=podpass"},
	} {
		if _, err := c.Kubectl(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	podpass := func(args ...string) (stdout, stderr string) {
		var out, errs bytes.Buffer
		root := newRoot()
		root.SetOut(&out)
		root.SetErr(&errs)
		root.SetArgs(append(args, "--kubeconfig", c.Kubeconfig))
		if err := root.ExecuteContext(t.Context()); err != nil {
			report(&errs, err)
		}
		return out.String(), errs.String()
	}
	run := func(args ...string) (stdout, stderr string) {
		return podpass(append([]string{"token", "aws"}, args...)...)
	}

	if out, _ := run("orders", "--settings", settings); !strings.Contains(out, "SessionToken") {
		t.Error("no credentials with --settings")
	}
	out, errs := run("orders")
	var got struct {
		Version                                              int
		AccessKeyID                                          string `json:"AccessKeyId"`
		SecretAccessKey, SessionToken, Expiration, AccountID string
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Version != 1 || got.SessionToken == "" || got.AccountID != "111122223333" {
		t.Errorf("%v; version %d, account %q; standard error: %s", err, got.Version, got.AccountID, errs)
	}
	for name, want := range map[string]string{
		"plain":   "error: ServiceAccount default/plain has no identity in AWS\nhint: annotate it",
		"nothing": "error: ServiceAccount default/nothing does not exist\nhint: ",
	} {
		if out, errs := run(name); out != "" || !strings.HasPrefix(errs, want) {
			t.Errorf("%s: standard output of %d bytes; standard error: %s", name, len(out), errs)
		}
	}
	// What AWS must be told of these ServiceAccounts, and that it cannot reach the issuer
	// which this API server says that it is.
	if out, errs := podpass("trust", "aws", "-A", "-o", "json", "--issuer", "https://oidc.example.com"); !strings.Contains(out, `"oidc.example.com:sub": "`+subject+`"`) || errs != "" {
		t.Errorf("trust aws: %s\n%s", out, errs)
	}
	if out, errs := podpass("trust", "aws", "orders"); out != "" || !strings.HasPrefix(errs, "error: WI220: issuer: is an address of a private network") || !strings.Contains(errs, c.Issuer) {
		t.Errorf("trust aws, of the cluster's own issuer: %s\n%s", out, errs)
	}

	// A cloud that does not trust it says so, and what it would have to trust.
	if _, err := c.Kubectl(t.Context(), "annotate", "--overwrite", "serviceaccount", "plain", "eks.amazonaws.com/role-arn="+role); err != nil {
		t.Fatal(err)
	}
	if _, errs := run("plain"); !strings.Contains(errs, "AccessDenied") || !strings.Contains(errs, "system:serviceaccount:default:plain") {
		t.Errorf("refused: %s", errs)
	}
}
