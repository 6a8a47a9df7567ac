// Bare is the floor of the broker's benchmark: a net/http server that answers as
// many bytes, and does nothing else.
package main

import (
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	body := strings.Repeat("x", 700) // about what credentials take
	server := &http.Server{
		Addr: os.Getenv("LISTEN"), ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }),
	}
	if err := server.ListenAndServe(); err != nil {
		os.Exit(1)
	}
}
