// Command sdk-go shows what unmodified cloud SDKs make of their environment: it
// asks each for its default credentials, asks the cloud who they are, and prints
// one line of JSON per result. It knows nothing of podpass: what works here works
// in any application that uses these SDKs.
//
//	sdk-go aws|aws-imds|gcp|gcp-idtoken|gcp-subscribe|azure|oidc|kube|s3|all [--timeout 20s] [--repeat 5s]
//
// The exit status is 1 if any result was a failure. Besides the SDKs' own
// variables it reads:
//
//	SDK_OWN_KEY=FORM:NAME          aws, gcp, azure: an application that has a key in a setting of its
//	                               own, which it hands to the SDK, as long as it is there:
//	                               url:VARIABLE, json:FILE; base64:VARIABLE; prefix:OF_VARIABLES
//	SDK_WHOAMI=skip                aws: fetch the credentials, do not ask STS who they are
//	SDK_GCP_TOKENINFO=URL          gcp: ask here who the access token belongs to
//	SDK_AUDIENCE=AUDIENCE          gcp-idtoken: the audience of the ID token
//	SDK_AZURE_SCOPE=SCOPE          azure: default https://management.azure.com/.default
//	SDK_AZURE_PRIVATE_AUTHORITY=1  azure: the authority is not one that Microsoft lists
//	SDK_TOKEN_FILE=FILE            oidc: a token of the ServiceAccount
//	SDK_TOKEN_SOURCE=NAME          oidc: a token source of podpass
//	SDK_OAUTH_USERINFO=URL         oidc: ask here whose the token source's token is
//	SDK_S3_BUCKET=BUCKET           s3: where to write, read and delete an object
//
// aws-imds asks EC2's instance metadata service alone, as tools do that know nothing
// else; oidc is an application without an SDK, and kube a client of the cluster of its
// KUBECONFIG. Its twin in JavaScript, ../js, has the
// same command line but for these, and the same output.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// check is one thing to find out. It keeps its SDK client between runs, as an
// application does, so that --repeat shows how the SDK refreshes.
type check interface {
	// describe gives the name and version of the SDK, and where the environment
	// tells it to get credentials.
	describe() (sdk, source string)
	// run fills in identity and expiry.
	run(ctx context.Context, r *result) error
}

var names = []string{"aws", "aws-imds", "gcp", "gcp-idtoken", "gcp-subscribe", "azure", "oidc", "kube", "s3"}

func newCheck(name string) check {
	switch name {
	case "aws":
		return &awsCheck{}
	case "aws-imds":
		return &imdsCheck{}
	case "gcp":
		return &gcpCheck{}
	case "gcp-idtoken":
		return &idTokenCheck{}
	case "gcp-subscribe":
		return &subscribeCheck{}
	case "azure":
		return &azureCheck{}
	case "oidc":
		return &oidcCheck{}
	case "kube":
		return &kubeCheck{}
	case "s3":
		return &s3Check{}
	}
	return nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("sdk-go", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintf(stderr, "usage: sdk-go %s|all [--timeout 20s] [--repeat 5s]\n", strings.Join(names, "|"))
	}
	timeout := flags.Duration("timeout", 20*time.Second, "give up on a result after this long")
	repeat := flags.Duration("repeat", 0, "do it again after this long, until stopped; 0: once")
	if len(args) == 0 || (args[0] != "all" && !slices.Contains(names, args[0])) {
		flags.Usage()
		return 2
	}
	if err := flags.Parse(args[1:]); err != nil || flags.NArg() > 0 {
		flags.Usage()
		return 2
	}
	chosen := []string{args[0]}
	if args[0] == "all" {
		chosen = configured()
	}
	checks := make(map[string]check, len(chosen))
	for _, name := range chosen {
		checks[name] = newCheck(name)
	}
	out := json.NewEncoder(stdout)
	out.SetEscapeHTML(false)
	status := 0
	for {
		for _, name := range chosen {
			r := measure(ctx, name, checks[name], *timeout)
			if ctx.Err() != nil {
				return status // stopped, not failed
			}
			if !r.OK {
				status = 1
			}
			if err := out.Encode(r); err != nil {
				fmt.Fprintln(stderr, "error: write result:", err)
				return 1
			}
		}
		if *repeat <= 0 {
			return status
		}
		select {
		case <-ctx.Done():
			return status
		case <-time.After(*repeat):
		}
	}
}

// configured lists what "all" means: the three clouds, and what the environment
// gives the parameters for.
func configured() []string {
	all := []string{"aws", "gcp", "azure"}
	if os.Getenv("SDK_AUDIENCE") != "" {
		all = append(all, "gcp-idtoken")
	}
	if os.Getenv("SDK_S3_BUCKET") != "" {
		all = append(all, "s3")
	}
	return all
}
