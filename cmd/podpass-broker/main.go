// Podpass-broker is the sidecar that gives a pod its cloud credentials.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/podpass-io/podpass/broker"
	"github.com/podpass-io/podpass/cmd/internal/memory"
	"github.com/podpass-io/podpass/cmd/internal/termination"
	"github.com/podpass-io/podpass/cmd/internal/version"
	"github.com/podpass-io/podpass/federation/kube"
)

const usage = `Podpass-broker trades a pod's bound ServiceAccount tokens for cloud credentials and
serves them on loopback, in the protocols that cloud SDKs speak.

  podpass-broker [flags]          serve until SIGTERM
  podpass-broker health           exit 0 once credentials are there (the startup probe)
  podpass-broker explain [-o json] what it has, and why not (kubectl exec POD -c podpass-broker -- /podpass-broker explain)
  podpass-broker write-file PATH  write $PODPASS_FILE to PATH (what an init container does)
  podpass-broker version

In a pod, the webhook sets all of it. Outside Kubernetes, with a token in ./tokens/aws:

  podpass-broker --identities '{"aws":{"roleARN":"arn:aws:iam::111122223333:role/orders",
    "audience":"sts.amazonaws.com","region":"eu-central-1"}}' --token-dir tokens --secret s3cret
  AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:9911/aws/v1/credentials \
    AWS_CONTAINER_AUTHORIZATION_TOKEN=s3cret aws sts get-caller-identity

Each flag has a variable, in brackets; the flag wins.

`

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "error:", err)
		if serves(os.Args[1:]) { // and is no command by `kubectl exec`
			termination.Write(termination.File, err)
		}
		os.Exit(1)
	}
}

// serves reports whether the process is the container's own.
func serves(args []string) bool {
	return len(args) == 0 || strings.HasPrefix(args[0], "-") || args[0] == "write-file"
}

func run(args []string) error {
	if err := hideMemory(); err != nil {
		return err
	}
	flags := flag.NewFlagSet("podpass-broker", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	config := broker.Flags(flags, os.Getenv)
	config.Version = version.Number()
	output := flags.String("o", "table", "explain's `output`: table or json")
	showVersion := flags.Bool("version", false, "print the version")
	command := ""
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		command, args = args[0], args[1:]
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *showVersion {
		command = "version"
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch command {
	case "":
		if flags.NArg() > 0 {
			return fmt.Errorf("unexpected argument %q: see podpass-broker --help", flags.Arg(0))
		}
		return serve(ctx, config)
	case "health":
		return broker.Health(ctx, config.Listen)
	case "explain":
		return explain(ctx, config, *output)
	case "write-file":
		if flags.NArg() != 1 {
			return errors.New("write-file needs one PATH: see podpass-broker --help")
		}
		return broker.WriteFile(flags.Arg(0), kube.Located(os.Getenv("PODPASS_FILE"), os.Getenv))
	case "version":
		fmt.Println("podpass-broker", version.Get())
		return nil
	}
	return fmt.Errorf("unknown command %q: see podpass-broker --help", command)
}

func serve(ctx context.Context, config *broker.Config) error {
	// Go's own default: half of it saved a pod 1 or 2 MiB, and cost a request a quarter
	// of its CPU time.
	memory.Set(memory.Percents{Unlimited: 100, Limited: 100})
	b, err := broker.New(*config, os.Stderr)
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	return b.Run(ctx)
}

// explain prints what the broker of this pod knows; its error, if a credential is
// missing, is the cause.
func explain(ctx context.Context, config *broker.Config, output string) error {
	e, err := broker.AskExplain(ctx, *config)
	if err != nil {
		return err
	}
	switch output {
	case "json":
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(e)
	case "table":
		err = e.Print(os.Stdout)
	default:
		return fmt.Errorf("unknown output %q: use table or json", output)
	}
	return errors.Join(err, e.Err())
}
