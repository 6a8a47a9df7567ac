// Kubectl-oidc_login takes kubelogin's place in the test of docs/people.md where kubelogin
// cannot be had. It knows the part of `kubelogin get-token` that the page uses, refuses
// each other flag, and opens browsers, keeps tokens and renews them as kubelogin says that
// it does: authorization code with PKCE, device code, refresh token.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// options are the flags, by kubelogin's names.
type options struct {
	issuer, client, ca, grant, cacheDir string
	scopes, listen                      []string
	params                              url.Values
	skipBrowser                         bool
	timeoutSeconds                      int
}

func parse(args []string) (*options, error) {
	if len(args) == 0 || args[0] != "get-token" {
		return nil, errors.New("get-token is the only command")
	}
	o := &options{params: url.Values{}}
	f := flag.NewFlagSet("get-token", flag.ContinueOnError)
	list := func(into *[]string) func(string) error {
		return func(s string) error { *into = append(*into, strings.Split(s, ",")...); return nil }
	}
	f.StringVar(&o.issuer, "oidc-issuer-url", "", "")
	f.StringVar(&o.client, "oidc-client-id", "", "")
	f.Func("oidc-extra-scope", "", list(&o.scopes))
	f.Func("oidc-auth-request-extra-params", "", func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("%s is not NAME=VALUE", s)
		}
		o.params.Set(name, value)
		return nil
	})
	f.StringVar(&o.ca, "certificate-authority", "", "")
	f.StringVar(&o.grant, "grant-type", "auto", "")
	f.Func("oidc-pkce-method", "", func(s string) error { // there is none but this here
		if s != "S256" {
			return errors.New("want S256")
		}
		return nil
	})
	f.StringVar(&o.cacheDir, "token-cache-dir", "~/.kube/cache/oidc-login", "")
	f.Func("listen-address", "", list(&o.listen))
	f.BoolVar(&o.skipBrowser, "skip-open-browser", false, "")
	f.IntVar(&o.timeoutSeconds, "authentication-timeout-sec", 180, "")
	if err := f.Parse(args[1:]); err != nil {
		return nil, err
	}
	if o.issuer == "" || o.client == "" || f.NArg() > 0 {
		return nil, errors.New("--oidc-issuer-url and --oidc-client-id are required, and no arguments are taken")
	}
	if o.listen == nil {
		o.listen = []string{"127.0.0.1:8000", "127.0.0.1:18000"}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	for _, path := range []*string{&o.ca, &o.cacheDir} {
		if rest, ok := strings.CutPrefix(*path, "~/"); ok {
			*path = filepath.Join(home, rest)
		}
	}
	return o, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error: get-token:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context) error {
	o, err := parse(os.Args[1:])
	if err != nil {
		return err
	}
	var asked struct {
		APIVersion string `json:"apiVersion"`
	}
	if info := os.Getenv("KUBERNETES_EXEC_INFO"); info != "" {
		if err := json.Unmarshal([]byte(info), &asked); err != nil {
			return fmt.Errorf("KUBERNETES_EXEC_INFO: %w", err)
		}
	} else {
		asked.APIVersion = "client.authentication.k8s.io/v1"
	}
	token, expiry, err := o.token(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"apiVersion": asked.APIVersion, "kind": "ExecCredential",
		"status": map[string]any{"token": token, "expirationTimestamp": expiry.UTC().Format(time.RFC3339)},
	})
}
