// Podpass-clouds runs the stand-in clouds for pods: see package cloud.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

func main() {
	config := flag.String("config", "", "`file` with the trust configuration, in JSON")
	host := flag.String("host", "127.0.0.1", "`address` to serve on, and the certificate's")
	dir := flag.String("dir", "", "`directory` for clouds.json, which says where the clouds are, and their CA")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *config, *host, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1) //nolint:gocritic // stop only restores the signals' defaults
	}
}

func run(ctx context.Context, config, host, dir string) error {
	raw, err := os.ReadFile(config)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	var t trust.Config
	if err := json.Unmarshal(raw, &t); err != nil {
		return fmt.Errorf("--config %s: %w", config, err)
	}
	caFile := filepath.Join(dir, "ca.crt")
	certificate, err := cloud.SelfSigned(caFile, host, "localhost")
	if err != nil {
		return err
	}
	c, err := cloud.Serve(host, certificate, t)
	if err != nil {
		return err
	}
	c.CAFile = caFile
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, c.Close())
	}
	admin := &http.Server{Handler: c.Admin(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = admin.Serve(l) }() // ends with Close
	where, err := json.Marshal(struct {
		*cloud.Clouds
		Admin string `json:"admin"`
	}{c, "http://" + l.Addr().String()})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "clouds.json.new"), where, 0o644)
	}
	if err == nil {
		err = os.Rename(filepath.Join(dir, "clouds.json.new"), filepath.Join(dir, "clouds.json"))
	}
	if err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, admin.Close(), c.Close())
}
