package main

import (
	"io"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	crlog "sigs.k8s.io/controller-runtime/pkg/log"
)

// logTo gives the process's one log, in JSON, and sends there what the libraries
// log: client-go by klog, controller-runtime by logr, and net/http's servers by the
// standard library's log.
func logTo(w io.Writer, level slog.Level) *slog.Logger {
	log := slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(log)
	slog.SetLogLoggerLevel(slog.LevelWarn) // net/http logs panics and failures so
	klog.SetSlogLogger(log)
	crlog.SetLogger(logr.FromSlogHandler(log.Handler()))
	return log
}
