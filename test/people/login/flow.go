package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// login is a talk with the provider.
type login struct {
	*options
	ctx      context.Context
	provider *oidc.Provider
	client   oauth2.Config
}

func (o *options) discover(ctx context.Context) (*login, error) {
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", o.ca)
		}
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
		ctx = oidc.ClientContext(ctx, &http.Client{Transport: transport, Timeout: time.Minute})
	}
	provider, err := oidc.NewProvider(ctx, o.issuer)
	if err != nil {
		return nil, err
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams // a public client has nothing else to show than its ID
	return &login{options: o, ctx: ctx, provider: provider, client: oauth2.Config{
		ClientID: o.client, Endpoint: endpoint, Scopes: append([]string{oidc.ScopeOpenID}, o.scopes...),
	}}, nil
}

// take verifies what the token endpoint answered.
func (l *login) take(answer *oauth2.Token, nonce string) (kept, time.Time, error) {
	raw, ok := answer.Extra("id_token").(string)
	if !ok {
		return kept{}, time.Time{}, errors.New("the provider answered without an id_token")
	}
	token, err := l.provider.Verifier(&oidc.Config{ClientID: l.client.ClientID}).Verify(l.ctx, raw)
	if err != nil {
		return kept{}, time.Time{}, err
	}
	if nonce != "" && token.Nonce != nonce {
		return kept{}, time.Time{}, errors.New("the id_token has another nonce")
	}
	return kept{IDToken: raw, RefreshToken: answer.RefreshToken}, token.Expiry, nil
}

func (l *login) refresh(token string) (kept, time.Time, error) {
	answer, err := l.client.TokenSource(l.ctx, &oauth2.Token{RefreshToken: token, Expiry: time.Unix(1, 0)}).Token()
	if err != nil {
		return kept{}, time.Time{}, err
	}
	return l.take(answer, "")
}

func (l *login) device() (kept, time.Time, error) {
	verifier := oauth2.GenerateVerifier()
	d, err := l.client.DeviceAuth(l.ctx, oauth2.S256ChallengeOption(verifier))
	if err != nil {
		return kept{}, time.Time{}, err
	}
	fmt.Fprintf(os.Stderr, "Please enter the following code when asked in your browser: %s\n", d.UserCode)
	l.browse(cmp.Or(d.VerificationURIComplete, d.VerificationURI))
	answer, err := l.client.DeviceAccessToken(l.ctx, d, oauth2.VerifierOption(verifier))
	if err != nil {
		return kept{}, time.Time{}, err
	}
	return l.take(answer, "")
}

// code is the authorization code flow: the browser is sent to a server of ours, which sends
// it to the provider, which sends it back.
func (l *login) code() (kept, time.Time, error) {
	var listener net.Listener
	var err error
	for _, address := range l.listen {
		if listener, err = (&net.ListenConfig{}).Listen(l.ctx, "tcp", address); err == nil {
			break
		}
	}
	if err != nil {
		return kept{}, time.Time{}, err
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	l.client.RedirectURL = "http://localhost:" + port
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	start := []oauth2.AuthCodeOption{oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)}
	for name := range l.params {
		start = append(start, oauth2.SetAuthURLParam(name, l.params.Get(name)))
	}
	type answer struct {
		code string
		err  error
	}
	back := make(chan answer, 1)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case r.URL.Path != "/":
			http.NotFound(w, r)
			return
		case q.Get("state") == "":
			http.Redirect(w, r, l.client.AuthCodeURL(state, start...), http.StatusFound)
			return
		}
		a := answer{code: q.Get("code")}
		if q.Get("state") != state || a.code == "" {
			a.err = fmt.Errorf("the provider answered %s: %s", q.Get("error"), q.Get("error_description"))
		}
		fmt.Fprintln(w, "You may close this window.")
		select {
		case back <- a:
		default: // a page that is loaded again
		}
	})}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Shutdown(context.WithoutCancel(l.ctx)) }()
	l.browse("http://localhost:" + port)
	select {
	case a := <-back:
		if a.err != nil {
			return kept{}, time.Time{}, a.err
		}
		answer, err := l.client.Exchange(l.ctx, a.code, oauth2.VerifierOption(verifier))
		if err != nil {
			return kept{}, time.Time{}, err
		}
		return l.take(answer, nonce)
	case <-time.After(time.Duration(l.timeoutSeconds) * time.Second):
		return kept{}, time.Time{}, fmt.Errorf("nobody logged in within %d seconds", l.timeoutSeconds)
	case <-l.ctx.Done():
		return kept{}, time.Time{}, l.ctx.Err()
	}
}

// browse opens a browser as kubelogin does, or says the address.
func (l *login) browse(address string) {
	if !l.skipBrowser {
		if err := exec.CommandContext(l.ctx, "xdg-open", address).Run(); err == nil {
			return
		}
	}
	fmt.Fprintln(os.Stderr, "Please visit the following URL in your browser:", address)
}
