package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

// result is one line of output. It never holds a credential.
type result struct {
	Cloud string `json:"cloud"`
	SDK   string `json:"sdk"`
	OK    bool   `json:"ok"`
	// Identity is who the cloud says we are.
	Identity string `json:"identity,omitempty"`
	// Source is the endpoint or token file that the environment names.
	Source string `json:"source,omitempty"`
	// Expires is when the SDK thinks that the credential ends.
	Expires       string `json:"expires,omitempty"`
	ElapsedMillis int64  `json:"elapsedMillis"`
	// Error is the SDK's own text, as an application's log would show it.
	Error string `json:"error,omitempty"`
}

func (r *result) setExpiry(t time.Time) {
	if !t.IsZero() {
		r.Expires = t.UTC().Format(time.RFC3339)
	}
}

func measure(ctx context.Context, name string, c check, timeout time.Duration) result {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r := result{Cloud: name}
	r.SDK, r.Source = c.describe()
	began := time.Now()
	err := c.run(ctx, &r)
	r.ElapsedMillis = time.Since(began).Milliseconds()
	r.OK = err == nil
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// module names a linked module with its version: "config v1.33.16".
func module(name, path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return name
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return name + " " + m.Version
		}
	}
	return name
}

// firstEnv is the value of the first variable that is set, in the SDK's order.
func firstEnv(names ...string) string {
	for _, n := range names {
		if v := os.Getenv(n); v != "" {
			return v
		}
	}
	return ""
}
