package kubetoken

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation"
)

// The variables that the webhook gives to containers with token sources.
const (
	brokerURL    = "PODPASS_TOKEN_URL"
	brokerSecret = "PODPASS_TOKEN_SECRET"
)

// ofBroker asks the pod's broker, which has a cache of its own.
func ofBroker(ctx context.Context, getenv func(string) string, client *http.Client, source string) (Token, error) {
	raw, secret := getenv(brokerURL), getenv(brokerSecret)
	if raw == "" || secret == "" {
		return Token{}, hint.New(errors.New("the variables "+brokerURL+" and "+brokerSecret+" are not set: this is no container with token sources"),
			"annotate the pod's ServiceAccount with podpass.io/oidc-token-sources: "+source)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !loopback(u.Hostname()) {
		return Token{}, hint.New(errors.New(brokerURL+" is no http URL of this pod's loopback, where the broker is"), "leave it to the webhook to set it")
	}
	var out struct {
		AccessToken federation.Secret `json:"access_token"`
		ExpiresIn   int               `json:"expires_in"`
	}
	now := time.Now()
	where := strings.TrimSuffix(raw, "/") + "/" + source
	if err := ask(ctx, client, "ask the broker for a token of "+source, where, where, federation.Secret(secret), &out); err != nil {
		return Token{}, err
	}
	if out.AccessToken == "" {
		return Token{}, errors.New(where + " answered with no access_token")
	}
	return ofCredential(federation.Credential{Token: out.AccessToken, Expiry: federation.ExpiresIn(now, time.Duration(out.ExpiresIn)*time.Second)}, now), nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, _ := netip.ParseAddr(host) // the zero Addr, of what is none, is no loopback
	return a.IsLoopback()
}
