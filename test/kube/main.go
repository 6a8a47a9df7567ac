// Podpass-kube is a real Kubernetes on one machine, for tests and the demo.
//
// One binary holds the whole: called as kube-apiserver, kube-controller-manager,
// kube-scheduler, kubelet, kube-proxy, etcd or kubectl (as first argument) it is
// that program; otherwise it starts, stops and inspects a cluster:
//
//	podpass-kube up --dir DIR [--control-plane-only]
//	podpass-kube status|down --dir DIR
//	podpass-kube kubectl --kubeconfig DIR/kubeconfig get pods -A
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 {
		if run, ok := components[os.Args[1]]; ok {
			os.Args = os.Args[1:]
			os.Exit(run())
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
