// Release makes what is published of podpass: programs, images, the chart, and what
// people need to check them. The Makefile runs it:
//
//	release notices -platform linux/arm64 -out FILE PACKAGE...   what the licenses of linked code ask for
//	release all -version 1.2.3 -out dist                         everything
//
// It is a module of its own: what it needs must not become part of podpass.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/podpass-io/podpass/cmd/podpass-release/linked"
	"github.com/podpass-io/podpass/cmd/podpass-release/notices"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("say what to make: notices or all")
	}
	switch command, args := args[0], args[1:]; command {
	case "notices":
		return writeNotices(ctx, args)
	case "all":
		p, err := parse(args)
		if err != nil {
			return err
		}
		return p.make(ctx)
	default:
		return fmt.Errorf("unknown command %q: notices or all", command)
	}
}

// writeNotices is for the Dockerfile, whose build stage has the source and Go.
func writeNotices(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("release notices", flag.ContinueOnError)
	root := f.String("root", "../..", "`directory` of podpass's module")
	platform := f.String("platform", "linux/amd64", "`os/arch` that the programs are for")
	out := f.String("out", "", "`file` to write")
	if err := f.Parse(args); err != nil {
		return err
	}
	p, err := linked.ParsePlatform(*platform)
	if err != nil {
		return err
	}
	licensed, err := licensedModules(ctx, *root, p, f.Args()...)
	if err != nil {
		return err
	}
	return create(*out, func(w *os.File) error { return notices.Write(w, licensed) })
}

func licensedModules(ctx context.Context, root string, p linked.Platform, mains ...string) ([]notices.Licensed, error) {
	modules, err := linked.Modules(ctx, root, p, mains...)
	if err != nil {
		return nil, err
	}
	return notices.Collect(modules)
}

// create writes a file, and says so if it was not written to its end.
func create(path string, write func(*os.File) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
