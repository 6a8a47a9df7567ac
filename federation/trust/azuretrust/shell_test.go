package azuretrust

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/internal/scripttest"
)

// answers of the recorder. ABSENT: the subscription has no such identity; FOUND: the
// application has a credential of that name; DENIED: nobody may look.
const answers = `if [ -n "${DENIED:-}" ]; then
	echo "ERROR: Please run 'az login' to setup account." >&2
	exit 1
fi
case "$*" in
"identity list "*".name "*) [ -n "${ABSENT:-}" ] || echo orders-identity ;;
"identity list "*) [ -n "${ABSENT:-}" ] || echo "shop (test)" ;;
"ad app federated-credential list "*) [ -z "${FOUND:-}" ] || echo aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee ;;
esac
`

func script(t *testing.T, o Options, accounts ...trust.Account) []byte {
	t.Helper()
	plan, found := Render(accounts, o)
	if len(found) > 0 {
		t.Fatal(found)
	}
	b, err := plan.Shell()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func joined(calls [][]string) []string {
	var list []string
	for _, call := range calls {
		list = append(list, strings.Join(call, "|"))
	}
	return list
}

func TestShell(t *testing.T) {
	const (
		lookUp     = "identity|list|--query|[?clientId=='" + ordersClient + "'].name|--output|tsv"
		lookUpIn   = "identity|list|--query|[?clientId=='" + ordersClient + "'].resourceGroup|--output|tsv"
		lookApp    = "ad|app|federated-credential|list|--id|" + ordersClient + "|--query|[?name=='demo_shop_orders'].id|--output|tsv"
		credential = `{"name":"demo_shop_orders","issuer":"https://oidc.example.com/demo","subject":"system:serviceaccount:shop:orders","audiences":["api://AzureADTokenExchange"]}`
	)
	for name, test := range map[string]struct {
		options     Options
		environment []string
		want        []string
		stderr      string
		fails       bool
	}{
		"a managed identity": {
			want: []string{lookUp, lookUpIn,
				"identity|federated-credential|create|--name|demo_shop_orders|--identity-name|orders-identity|--resource-group|shop (test)" +
					"|--issuer|https://oidc.example.com/demo|--subject|system:serviceaccount:shop:orders|--audiences|api://AzureADTokenExchange|--output|none"},
		},
		"no such identity": {
			environment: []string{"ABSENT=1"}, want: []string{lookUp, lookUpIn}, fails: true,
			stderr: "error: this subscription has no managed identity with the client ID " + ordersClient +
				"\nhint: choose its subscription with az account set; if it is an application, podpass trust azure --application\n",
		},
		"nobody may look": {
			environment: []string{"DENIED=1"}, want: []string{lookUp}, fails: true, stderr: "ERROR: Please run 'az login' to setup account.\n",
		},
		"an application": {
			options: Options{Application: true},
			want:    []string{lookApp, "ad|app|federated-credential|create|--id|" + ordersClient + "|--parameters|" + credential + "|--output|none"},
		},
		"an application that has it": {
			options: Options{Application: true}, environment: []string{"FOUND=1"},
			want: []string{lookApp, "ad|app|federated-credential|update|--id|" + ordersClient + "|--federated-credential-id|demo_shop_orders|--parameters|" + credential + "|--output|none"},
		},
		"an application at which nobody may look": {
			options: Options{Application: true}, environment: []string{"DENIED=1"}, want: []string{lookApp}, fails: true, stderr: "ERROR: Please run 'az login' to setup account.\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := script(t, test.options, account(t, demo, "shop", "orders", byClient, ordersClient))
			calls, stderr, err := scripttest.Run(t, "az", answers, b, test.environment...)
			if diff := cmp.Diff(test.want, joined(calls)); diff != "" {
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
	t.Chdir(t.TempDir())
	cluster := trust.Cluster{Name: "prod\ntouch owned #'", Issuer: "https://oidc.example.com/it's$(touch owned)"}
	for _, o := range []Options{{}, {Application: true}} {
		calls, stderr, err := scripttest.Run(t, "az", answers, script(t, o, account(t, cluster, "shop", "orders", byClient, ordersClient)))
		if err != nil {
			t.Fatalf("%v: %s", err, stderr)
		}
		if last := calls[len(calls)-1]; !strings.Contains(strings.Join(last, " "), cluster.Issuer) {
			t.Errorf("%q has not the issuer", last)
		}
	}
	if _, err := os.Stat("owned"); err == nil {
		t.Error("a name was run")
	}
}

func TestShellcheck(t *testing.T) {
	for _, o := range []Options{{}, {Application: true}} {
		scripttest.Shellcheck(t, script(t, o, fleet(t)...))
	}
}

// TestAzTakesIt holds each flag against the real az.
func TestAzTakesIt(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: each call takes seconds")
	}
	dir := t.TempDir()
	for _, o := range []Options{{}, {Application: true}} {
		for _, found := range []string{"FOUND=", "FOUND=1"} {
			calls, _, err := scripttest.Run(t, "az", answers, script(t, o, account(t, demo, "shop", "orders", byClient, ordersClient)), found)
			if err != nil {
				t.Fatal(err)
			}
			if !o.Application && found != "FOUND=" {
				continue // the same again
			}
			for _, call := range calls {
				if found == "FOUND=" || call[3] == "update" {
					scripttest.Accepts(t, dir, "az", "Please run 'az login' to setup account", call)
				}
			}
		}
	}
}
