// Reviewer is the webhook's handler over TLS with the ServiceAccount of the benchmark
// in memory, at the path that says how many clouds it asks for: what a review costs,
// without the watch, the metrics server and the rest of the webhook.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/podpass-io/podpass/test/bench/handler"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	mux := http.NewServeMux()
	for path, asked := range map[string]handler.Accounts{"/0": nil, "/1": handler.One, "/3": handler.Three} {
		h, err := handler.New(asked, "broker", log)
		if err != nil {
			log.Error("Ended", "error", err)
			os.Exit(1)
		}
		mux.Handle(path, h)
	}
	server := &http.Server{Addr: os.Getenv("LISTEN"), Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second}
	if err := server.ListenAndServeTLS(os.Getenv("TLS_CERT"), os.Getenv("TLS_KEY")); err != nil {
		log.Error("Ended", "error", err)
		os.Exit(1)
	}
}
