package trust

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/awstrust"
)

// iam answers what the rendered script asks of AWS, and writes down each call with its
// parameters. It has what was created.
type iam struct {
	mu    sync.Mutex
	calls []string
	has   map[string]bool
}

func (i *iam) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	action, f := r.PostForm.Get("Action"), r.PostForm
	call := action
	for _, p := range []string{"Url", "ClientIDList.member.1", "ThumbprintList.member.1", "OpenIDConnectProviderArn", "ClientID", "RoleName", "Path", "MaxSessionDuration", "PolicyName"} {
		if v := f.Get(p); v != "" {
			call += " " + p + "=" + v
		}
	}
	i.calls = append(i.calls, call)
	object := f.Get("RoleName") + f.Get("OpenIDConnectProviderArn")
	result := ""
	switch action {
	case "GetCallerIdentity":
		result = "<Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/admin</Arn><UserId>AIDAEXAMPLEEXAMPLE123</UserId>"
	case "GetRole", "GetOpenIDConnectProvider":
		if !i.has[object] {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>%s cannot be found.</Message></Error></ErrorResponse>`, object)
			return
		}
	case "CreateRole":
		i.has[object] = true
	case "CreateOpenIDConnectProvider":
		i.has["arn:aws:iam::111122223333:oidc-provider/"+strings.TrimPrefix(f.Get("Url"), "https://")] = true
	}
	fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, result)
}

// TestRealAWSCLI runs the rendered script with the real aws command line: its own parser
// takes each flag, and what arrives at IAM is what was meant; once for an empty account,
// and once more.
func TestRealAWSCLI(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: each call takes seconds")
	}
	program, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("left out: no aws on this machine (Debian's package awscli)")
	}
	plan, found := awstrust.Render([]trust.Account{{
		Cluster: trust.Cluster{Issuer: "https://oidc.example.com"}, Namespace: "shop", Name: "orders", Answer: serviceaccount.Resolve(serviceaccount.Request{
			Namespace: "shop", Name: "orders", AnyPod: true, Annotations: map[string]string{
				"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/team/orders", "podpass.io/aws-assume-role-arn": "arn:aws:iam::444455556666:role/partner",
			},
		}, serviceaccount.Installation{}),
	}}, awstrust.Options{Thumbprints: []string{"9e99a48a9960b14926bb7f3b02e22da2b0ab7280"}}) // Debian's version demands one
	if len(found) > 0 {
		t.Fatal(found)
	}
	script, err := plan.Shell()
	if err != nil {
		t.Fatal(err)
	}
	i := &iam{has: map[string]bool{}}
	server := httptest.NewServer(i)
	defer server.Close()
	dir := t.TempDir()
	// That version has no variable for the endpoint.
	wrapper := fmt.Sprintf("#!/bin/sh\nexec %s --endpoint-url %s \"$@\"\n", program, server.URL)
	for name, content := range map[string]string{"aws": wrapper, "trust.sh": string(script)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	run := func() []string {
		cmd := exec.CommandContext(t.Context(), "sh", filepath.Join(dir, "trust.sh"))
		cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "AWS_ACCESS_KEY_ID=example", "AWS_SECRET_ACCESS_KEY=example", "AWS_DEFAULT_REGION=us-east-1"}
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v\n%s", err, out.Bytes())
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		calls := i.calls
		i.calls = nil
		return calls
	}
	const provider = "OpenIDConnectProviderArn=arn:aws:iam::111122223333:oidc-provider/oidc.example.com"
	if diff := cmp.Diff([]string{
		"GetCallerIdentity",
		"GetOpenIDConnectProvider " + provider,
		"CreateOpenIDConnectProvider Url=https://oidc.example.com ClientIDList.member.1=sts.amazonaws.com ThumbprintList.member.1=9e99a48a9960b14926bb7f3b02e22da2b0ab7280",
		"GetRole RoleName=orders",
		"CreateRole RoleName=orders Path=/team/ MaxSessionDuration=3600",
		"PutRolePolicy RoleName=orders PolicyName=podpass-assume-role",
	}, run()); diff != "" {
		t.Errorf("an empty account (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"GetCallerIdentity",
		"GetOpenIDConnectProvider " + provider,
		"AddClientIDToOpenIDConnectProvider " + provider + " ClientID=sts.amazonaws.com",
		"GetRole RoleName=orders",
		"UpdateAssumeRolePolicy RoleName=orders",
		"PutRolePolicy RoleName=orders PolicyName=podpass-assume-role",
	}, run()); diff != "" {
		t.Errorf("once more (-want +got):\n%s", diff)
	}
}
