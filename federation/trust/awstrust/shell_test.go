package awstrust

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/trust"
)

// recorder stands for the aws command line: it writes down what it is asked, and answers
// by the environment. FOUND is what the account has: "" nothing, "all" everything;
// DENIED: nobody may look.
const recorder = `#!/bin/sh
{ printf '%s\037' "$@"; printf '\036'; } >>"$RECORD"
case "$2" in
get-caller-identity) echo "$ACCOUNT" ;;
get-*)
	if [ -n "${DENIED:-}" ]; then
		echo "An error occurred (AccessDenied) when calling the operation" >&2
		exit 254
	fi
	if [ -z "${FOUND:-}" ]; then
		echo "An error occurred (NoSuchEntity) when calling the operation" >&2
		exit 254
	fi
	echo '{"former": true}'
	;;
esac
`

// run runs the script, and gives the commands that it ran: arguments with a space between
// them, JSON without any.
func run(t *testing.T, script []byte, environment ...string) (commands []string, stderr string, err error) {
	t.Helper()
	dir := t.TempDir()
	record := filepath.Join(dir, "record")
	for name, content := range map[string]string{"aws": recorder, "trust.sh": string(script)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", filepath.Join(dir, "trust.sh"))
	cmd.Env = append(environment, "PATH="+dir+":"+os.Getenv("PATH"), "RECORD="+record)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	err = cmd.Run()
	raw, readErr := os.ReadFile(record)
	if readErr != nil {
		t.Fatal(readErr)
	}
	for call := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\036"), "\036") {
		var words []string
		for word := range strings.SplitSeq(strings.TrimSuffix(call, "\037"), "\037") {
			var compact bytes.Buffer
			if json.Compact(&compact, []byte(word)) == nil {
				word = compact.String()
			}
			words = append(words, word)
		}
		commands = append(commands, strings.Join(words, " "))
	}
	return commands, errs.String(), err
}

func script(t *testing.T, o Options, accounts ...trust.Account) []byte {
	t.Helper()
	p, found := Render(accounts, o)
	if len(found) > 0 {
		t.Fatal(found)
	}
	b, err := p.Shell()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	webPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod"},` +
		`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"oidc.example.com/prod:aud":"sts.amazonaws.com","oidc.example.com/prod:sub":"system:serviceaccount:shop:orders"}}}]}`
	partnerPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/orders"},"Action":"sts:AssumeRole"}]}`
	mayAssume     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/team/partner"}]}`
	providerARN   = "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod"
)

func TestShell(t *testing.T) {
	chained := account(prod, "shop", "orders", map[string]string{
		"eks.amazonaws.com/role-arn": orders, "podpass.io/aws-assume-role-arn": "arn:aws:iam::444455556666:role/team/partner",
	})
	long := account(prod, "shop", "orders", map[string]string{"eks.amazonaws.com/role-arn": orders, "podpass.io/aws-session-duration": "7200"})
	const whoami = "sts get-caller-identity --query Account --output text"
	for name, test := range map[string]struct {
		account     trust.Account
		options     Options
		environment []string
		want        []string
		stderr      string
		fails       bool
	}{
		"an empty account": {
			account: chained, environment: []string{"ACCOUNT=111122223333"},
			want: []string{
				whoami,
				"iam get-open-id-connect-provider --open-id-connect-provider-arn " + providerARN,
				"iam create-open-id-connect-provider --url https://oidc.example.com/prod --client-id-list sts.amazonaws.com",
				"iam get-role --role-name orders",
				"iam create-role --role-name orders --path / --assume-role-policy-document " + webPolicy + " --max-session-duration 3600",
				"iam put-role-policy --role-name orders --policy-name podpass-assume-role --policy-document " + mayAssume,
			},
		},
		"an account that has it all": {
			account: chained, environment: []string{"ACCOUNT=111122223333", "FOUND=all"},
			want: []string{
				whoami,
				"iam get-open-id-connect-provider --open-id-connect-provider-arn " + providerARN,
				"iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn " + providerARN + " --client-id sts.amazonaws.com",
				"iam get-role --role-name orders",
				"iam update-assume-role-policy --role-name orders --policy-document " + webPolicy,
				"iam put-role-policy --role-name orders --policy-name podpass-assume-role --policy-document " + mayAssume,
			},
			stderr: "replacing the trust policy of this role:\n{\"former\": true}\n",
		},
		"the chain's account": {
			account: chained, environment: []string{"ACCOUNT=444455556666"},
			want: []string{
				whoami,
				"iam get-role --role-name partner",
				"iam create-role --role-name partner --path /team/ --assume-role-policy-document " + partnerPolicy + " --max-session-duration 3600",
			},
		},
		"another account": {
			account: chained, environment: []string{"ACCOUNT=999999999999"},
			want: []string{whoami}, fails: true,
			stderr: "error: nothing here is for account 999999999999: sign in to 111122223333, then 444455556666\n",
		},
		"nobody may look": {
			account: chained, environment: []string{"ACCOUNT=111122223333", "DENIED=1"},
			want:   []string{whoami, "iam get-open-id-connect-provider --open-id-connect-provider-arn " + providerARN},
			stderr: "An error occurred (AccessDenied) when calling the operation\n", fails: true,
		},
		"long sessions, and a thumbprint": {
			account: long, options: Options{Thumbprints: []string{"9e99a48a9960b14926bb7f3b02e22da2b0ab7280"}}, environment: []string{"ACCOUNT=111122223333"},
			want: []string{
				whoami,
				"iam get-open-id-connect-provider --open-id-connect-provider-arn " + providerARN,
				"iam create-open-id-connect-provider --url https://oidc.example.com/prod --client-id-list sts.amazonaws.com --thumbprint-list 9e99a48a9960b14926bb7f3b02e22da2b0ab7280",
				"iam get-role --role-name orders",
				"iam create-role --role-name orders --path / --assume-role-policy-document " + webPolicy + " --max-session-duration 7200",
			},
		},
		"long sessions of a role that is there": {
			account: long, environment: []string{"ACCOUNT=111122223333", "FOUND=all"},
			want: []string{
				whoami,
				"iam get-open-id-connect-provider --open-id-connect-provider-arn " + providerARN,
				"iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn " + providerARN + " --client-id sts.amazonaws.com",
				"iam get-role --role-name orders",
				"iam update-assume-role-policy --role-name orders --policy-document " + webPolicy,
				"iam update-role --role-name orders --max-session-duration 7200",
			},
			stderr: "replacing the trust policy of this role:\n{\"former\": true}\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, stderr, err := run(t, script(t, test.options, test.account), test.environment...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
			if (err != nil) != test.fails || stderr != test.stderr {
				t.Errorf("%v; standard error %q, want %q", err, stderr, test.stderr)
			}
		})
	}
}

// TestShellQuotes: what people chose for names goes into no command.
func TestShellQuotes(t *testing.T) {
	cluster := trust.Cluster{Name: "prod\ntouch owned #", Issuer: "https://oidc.example.com/it's$(touch owned)"}
	dir := t.TempDir()
	t.Chdir(dir)
	got, stderr, err := run(t, script(t, Options{}, account(cluster, "shop", "orders", asks(orders))), "ACCOUNT=111122223333")
	if err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if want := "iam create-open-id-connect-provider --url https://oidc.example.com/it's$(touch owned) --client-id-list sts.amazonaws.com"; len(got) < 3 || got[2] != want {
		t.Errorf("got %q, want the third to be %q", got, want)
	}
	if _, err := os.Stat("owned"); err == nil {
		t.Error("a name was run")
	}
}

// TestShellcheck: shellcheck has nothing to say, either, but for braces around each
// variable, and for functions and substitutions whose status the script looks at itself.
func TestShellcheck(t *testing.T) {
	path, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("left out: no shellcheck on this machine (Debian's package of that name)")
	}
	for name, b := range map[string][]byte{
		"one":   script(t, Options{}, account(prod, "shop", "orders", asks(orders))),
		"chain": script(t, Options{Thumbprints: []string{"9e99a48a9960b14926bb7f3b02e22da2b0ab7280"}}, account(prod, "shop", "orders", map[string]string{"eks.amazonaws.com/role-arn": orders, "podpass.io/aws-session-duration": "3600", "podpass.io/aws-assume-role-arn": "arn:aws:iam::444455556666:role/partner"})),
	} {
		cmd := exec.CommandContext(t.Context(), path, "--shell=sh", "--enable=all", "--exclude=SC2250,SC2310,SC2311,SC2312", "-")
		cmd.Stdin = bytes.NewReader(b)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
