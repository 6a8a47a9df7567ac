// Demo shows podpass's main job on this machine: a real Kubernetes, the chart,
// annotated ServiceAccounts, and pods whose unmodified SDKs get credentials.
//
//	go run ./test/demo up [--keep]
//	go run ./test/demo down
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/podpass-io/podpass/test/testbed"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1) //nolint:gocritic // stop only restores the signals' defaults
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	keep := flags.Bool("keep", false, "leave everything up, and say how to look around")
	dir := flags.String("dir", filepath.Join(os.TempDir(), "podpass-demo"), "`directory` of the demo")
	if len(args) == 0 {
		return errors.New("usage: demo up [--keep] | demo down")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	opts := testbed.Options{Dir: *dir, Root: root, Log: os.Stdout}
	switch args[0] {
	case "down":
		return testbed.Down(ctx, opts)
	case "up":
		return up(ctx, opts, *keep)
	}
	return fmt.Errorf("unknown command %q: up or down", args[0])
}

func up(ctx context.Context, opts testbed.Options, keep bool) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("the demo runs containers, so it needs root: sudo make demo")
	}
	start := time.Now()
	bed, err := testbed.Up(ctx, opts)
	if !keep {
		// Also after an interrupt: the context has ended then.
		defer func() { err = errors.Join(err, testbed.Down(context.WithoutCancel(ctx), opts)) }()
	}
	if err != nil {
		return err
	}
	if err := show(ctx, bed, opts); err != nil {
		return err
	}
	fmt.Fprintf(opts.Log, "\nThe demo took %s.\n", time.Since(start).Round(time.Second))
	if keep {
		lookAround(opts.Log, bed)
	}
	return nil
}

func show(ctx context.Context, bed *testbed.Bed, opts testbed.Options) error {
	fmt.Fprintln(opts.Log, "\n==> The pods of examples/ without podpass")
	if err := bed.CreateNamespace(ctx, "before"); err != nil {
		return err
	}
	if err := bed.ApplyExamples(ctx, "before", "00-serviceaccounts.yaml", "10-pods.yaml", "70-nobody.yaml"); err != nil {
		return err
	}
	before, err := bed.Outcomes(ctx, "before", 2*time.Minute)
	if err != nil {
		return err
	}
	testbed.Print(opts.Log, before)
	if slices.ContainsFunc(before, func(o testbed.Outcome) bool { return o.OK }) {
		return errors.New("a pod got credentials without podpass: the demo proves nothing")
	}

	other, err := otherCluster(ctx, bed)
	if err != nil {
		return err
	}
	if err := bed.Install(ctx, other...); err != nil {
		return err
	}
	fmt.Fprintln(opts.Log, "\n==> The same pods with podpass, and the others of examples/")
	if err := bed.CreateNamespace(ctx, "demo"); err != nil {
		return err
	}
	if err := bed.ApplyExamples(ctx, "demo"); err != nil {
		return err
	}
	after, err := bed.Outcomes(ctx, "demo", 3*time.Minute)
	if err != nil {
		return err
	}
	testbed.Print(opts.Log, after)
	table, err := bed.Kubectl(ctx, "get", "pods,jobs", "-n", "demo", "-L", "podpass.io/injected")
	if err != nil {
		return err
	}
	fmt.Fprintf(opts.Log, "\n$ kubectl get pods,jobs -n demo -L podpass.io/injected\n%s", table)
	for _, o := range after {
		if expected := o.Pod != "nobody"; o.OK != expected {
			return fmt.Errorf("pod %s: credentials: %t, and it should be %t: %s", o.Pod, o.OK, expected, o.Error)
		}
	}
	return nil
}

// otherCluster makes the cluster the one that examples/ call prod-us: a second one would take
// a machine of its own. Its API server takes one audience more, and is called from outside, by
// the kubeconfig. What comes back are the chart's values.
func otherCluster(ctx context.Context, bed *testbed.Bed) ([]string, error) {
	const audience = "https://prod-us.example.com"
	if err := bed.Restart(ctx, "kube-apiserver", false, "--api-audiences="+bed.Issuer+","+audience); err != nil {
		return nil, err
	}
	address, err := bed.Kubectl(ctx, "get", "service", "kubernetes", "-n", "default", "-o", "jsonpath={.spec.clusterIP}")
	if err != nil {
		return nil, err
	}
	return []string{
		"--set", "kube.clusters.prod-us.server=https://" + address, "--set", "kube.clusters.prod-us.audience=" + audience,
		"--set-file", "kube.clusters.prod-us.caBundle=" + bed.CAFile,
	}, nil
}

func lookAround(w io.Writer, bed *testbed.Bed) {
	fmt.Fprintf(w, `
It is all still there. To look around:

  alias k='%s'
  k get pods -n demo -L podpass.io/injected
  k get pod aws-go -n demo -o yaml
  k logs -n demo -l app=orders -c podpass-broker
  k logs -n podpass-system -l app.kubernetes.io/name=podpass

make demo-down removes it.
`, bed.KubectlCommand())
}
