package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "podpass-kube",
		Short:         "A real single-node Kubernetes on this machine, for tests",
		SilenceUsage:  true,
		SilenceErrors: true,
		Long: `A real single-node Kubernetes on this machine, for tests and the demo.

A cluster lives in one directory, which names it. It needs root, and Debian's
containerd, runc, containernetworking-plugins, iptables and iproute2; with
--control-plane-only it has no node and needs neither.

This binary is also kube-apiserver, kube-controller-manager, kube-scheduler,
kubelet, kube-proxy, etcd and kubectl: give the name as first argument.`,
	}
	dir := root.PersistentFlags().String("dir", "", "directory of the cluster")
	absolute := func() (string, error) {
		if *dir == "" {
			return "", errors.New("--dir is required: the directory that names the cluster")
		}
		return filepath.Abs(*dir)
	}
	loaded := func() (*cluster, error) {
		d, err := absolute()
		if err != nil {
			return nil, err
		}
		c, err := load(d)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("there is no cluster in %s: start one with podpass-kube up --dir %s", d, d)
		}
		return c, err
	}
	root.AddCommand(upCommand(absolute), downCommand(absolute), statusCommand(loaded), restartCommand(loaded),
		logsCommand(loaded), loadImageCommand(loaded), buildImageCommand())
	return root
}

func upCommand(dir func() (string, error)) *cobra.Command {
	var controlPlaneOnly bool
	var admissionConfig string
	cmd := &cobra.Command{
		Use: "up", Short: "Start a cluster and wait until it is ready", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			_, err = up(cmd.Context(), d, admissionConfig, controlPlaneOnly, cmd.ErrOrStderr())
			return err
		},
	}
	cmd.Flags().BoolVar(&controlPlaneOnly, "control-plane-only", false, "no node: no root and no containers needed")
	cmd.Flags().StringVar(&admissionConfig, "admission-config", "", "the API server's --admission-control-config-file, which says as whom it calls webhooks")
	return cmd
}

func downCommand(dir func() (string, error)) *cobra.Command {
	return &cobra.Command{
		Use: "down", Short: "Stop a cluster and remove all of it, also after a crash", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			return down(cmd.Context(), d, cmd.ErrOrStderr())
		},
	}
}

func statusCommand(loaded func() (*cluster, error)) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "status", Short: "Show where a cluster is and what runs of it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loaded()
			if err != nil {
				return err
			}
			if output == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(c)
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "server      %s\nissuer      %s\nkubeconfig  %s\n", c.Server, c.Issuer, c.Kubeconfig)
			for _, p := range c.Processes {
				state := "running"
				if !p.alive() {
					state = "dead"
				}
				fmt.Fprintf(out, "%-24s %-8s pid %d\n", p.Name, state, p.PID)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json: for machines")
	return cmd
}

func restartCommand(loaded func() (*cluster, error)) *cobra.Command {
	var kill bool
	var flags []string
	cmd := &cobra.Command{
		Use: "restart COMPONENT", Short: "Restart one component, and wait until the API server answers", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loaded()
			if err != nil {
				return err
			}
			return c.restart(cmd.Context(), args[0], kill, flags)
		},
	}
	cmd.Flags().BoolVar(&kill, "kill", false, "end it by SIGKILL")
	cmd.Flags().StringArrayVar(&flags, "flag", nil, "--NAME=VALUE of the component, instead of all that it had of that name; repeatable")
	return cmd
}

func logsCommand(loaded func() (*cluster, error)) *cobra.Command {
	return &cobra.Command{
		Use: "logs COMPONENT", Short: "Print a component's log", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loaded()
			if err != nil {
				return err
			}
			f, err := os.Open(c.path("log", filepath.Base(args[0])+".log"))
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.Copy(cmd.OutOrStdout(), f)
			return err
		},
	}
}

func loadImageCommand(loaded func() (*cluster, error)) *cobra.Command {
	return &cobra.Command{
		Use: "load-image FILE...", Short: "Import images into the node", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loaded()
			if err != nil {
				return err
			}
			for _, file := range args {
				if err := c.ctr(cmd.Context(), "images", "import", file); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func buildImageCommand() *cobra.Command {
	var i image
	var out string
	cmd := &cobra.Command{
		Use: "build-image", Short: "Make a one-layer image from files, without a registry", Args: cobra.NoArgs,
		Example: "  podpass-kube build-image --name example.com/app:dev --file bin/app=/app --entrypoint /app -o app.tar",
		RunE: func(*cobra.Command, []string) error {
			if i.Name == "" || !strings.Contains(i.Name, ":") || out == "" || len(i.Entrypoint) == 0 {
				return errors.New("--name NAME:TAG, --entrypoint and --output are required")
			}
			return i.build(out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&i.Name, "name", "", "the image's name and tag")
	f.StringArrayVar(&i.Files, "file", nil, "SRC=/dest, a file or a directory; repeatable")
	f.StringArrayVar(&i.Entrypoint, "entrypoint", nil, "program, then its arguments; repeatable")
	f.StringArrayVar(&i.Env, "env", nil, "K=V; repeatable")
	f.StringVar(&i.User, "user", "65532:65532", "UID:GID")
	f.StringVarP(&out, "output", "o", "", "file to write")
	return cmd
}
