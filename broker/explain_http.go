package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/podpass-io/podpass/broker/guard"
	"github.com/podpass-io/podpass/federation"
)

// explainHandler serves the explanation to who knows the secret.
func (b *Broker) explainHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refused := guard.Check(r); refused != nil {
			http.Error(w, refused.Message, refused.Status)
			return
		}
		if !guard.Secret(r.Header.Get("Authorization"), federation.Secret(b.config.Secret)) {
			http.Error(w, "the Authorization header must hold the broker's secret: the pod's UID", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(b.explain(r.Context())) // an error means that the client has gone
	})
}

// AskExplain asks the broker that c is the configuration of.
func AskExplain(ctx context.Context, c Config) (*Explanation, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.Listen+ExplainPath, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", c.Secret)
	transport := &http.Transport{} // not by way of a proxy
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return nil, fmt.Errorf("the broker does not answer: %w; it listens in the pod alone: run this in its container", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the broker answers %s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	e := new(Explanation)
	return e, json.Unmarshal(body, e)
}
