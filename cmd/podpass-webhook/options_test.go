package main

import (
	"errors"
	"flag"
	"strings"
	"testing"
)

// TestOptionsReportAllProblems: not the first one, and the next after another restart.
func TestOptionsReportAllProblems(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "")
	_, err := parse([]string{"--tls-cert=a", "--shutdown-delay=-1s", "--audit-period=-1m", "--client-names=kube-apiserver", "more"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{`unexpected arguments ["more"]`, "--tls-cert and --tls-key", "--shutdown-delay -1s", "--audit-period -1m0s", "--client-names needs --client-ca"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("it does not say %q:\n%v", part, err)
		}
	}
}

func TestOptions(t *testing.T) {
	files := []string{"--tls-cert=c", "--tls-key=k"}
	for name, test := range map[string]struct {
		namespace string
		args      []string
		want      string // of the error
	}{
		"in a cluster":                      {"podpass-system", nil, ""},
		"with files":                        {"", files, ""},
		"its own CA, but where":             {"", nil, "--namespace is required"},
		"a key alone":                       {"podpass-system", files[1:], "belong together"},
		"its own CA, without Services":      {"podpass-system", []string{"--service="}, "--service is required"},
		"certificates of clients":           {"podpass-system", []string{"--client-ca=ca.crt", "--client-names=a,b"}, ""},
		"an audit by label":                 {"podpass-system", []string{"--namespace-selector=podpass notin (disabled)"}, ""},
		"a selector that is none":           {"podpass-system", []string{"--namespace-selector=podpass in"}, "namespace-selector"},
		"no audit":                          {"podpass-system", []string{"--audit-period=0"}, ""},
		"the version, whatever else":        {"", []string{"--version", "--tls-cert=a"}, ""},
		"a level that there is not":         {"podpass-system", []string{"--log-level=loud"}, "log-level"},
		"a flag that there is not":          {"podpass-system", []string{"--tls-crt=a"}, "tls-crt"},
		"a shutdown delay that is negative": {"podpass-system", []string{"--shutdown-delay=-1ns"}, "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("POD_NAMESPACE", test.namespace)
			_, err := parse(test.args)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := parse([]string{"--help"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help: %v", err)
	}
}

// TestAuditLease: one replica of a cluster's audits; outside of a cluster there is no
// other, and no namespace for a Lease.
func TestAuditLease(t *testing.T) {
	for namespace, want := range map[string]string{"podpass-system": "podpass-webhook-audit", "": ""} {
		t.Setenv("POD_NAMESPACE", namespace)
		o, err := parse([]string{"--tls-cert=c", "--tls-key=k"})
		if err != nil || o.audit.lease != want {
			t.Errorf("in namespace %q: lease %q, %v; want %q", namespace, o.audit.lease, err, want)
		}
	}
}
