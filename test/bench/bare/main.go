// Bare is the floor of the benchmarks: a net/http server that reads the body and
// answers a constant, and does nothing else. With TLS_CERT and TLS_KEY it is that of
// admission.
package main

import (
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	body := []byte(strings.Repeat("x", 700)) // about what credentials take
	if f := os.Getenv("ANSWER"); f != "" {
		var err error
		if body, err = os.ReadFile(f); err != nil {
			os.Exit(1)
		}
	}
	server := &http.Server{
		Addr: os.Getenv("LISTEN"), ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			_, _ = w.Write(body)
		}),
	}
	serve := server.ListenAndServe
	if cert := os.Getenv("TLS_CERT"); cert != "" {
		serve = func() error { return server.ListenAndServeTLS(cert, os.Getenv("TLS_KEY")) }
	}
	if serve() != nil {
		os.Exit(1)
	}
}
