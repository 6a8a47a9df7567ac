package broker

import (
	"context"
	"errors"
	"time"

	"github.com/podpass-io/podpass/broker/cache"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Explanation is all that the broker knows of its credentials, and none of them.
type Explanation struct {
	Version    string                    `json:"version"`
	Time       time.Time                 `json:"time"`
	Identities serviceaccount.Identities `json:"identities"`
	Tokens     []TokenState              `json:"tokens"`
	// Credentials: the pod's own first, then what applications asked for besides.
	Credentials []CredentialState `json:"credentials"`
}

// TokenState is the subject token of one cloud, or one token source: its claims, never
// the token.
type TokenState struct {
	Cloud  string             `json:"cloud"`
	Claims *federation.Claims `json:"claims,omitempty"`
	Error  string             `json:"error,omitempty"`
}

// CredentialState is one credential of the cache.
type CredentialState struct {
	Cloud string `json:"cloud"`
	// Name of one of the pod's own, of which a cloud may have several.
	Name string `json:"name,omitempty"`
	// Key names every input that the credential depends on.
	Key string `json:"key"`
	// Own: it is the pod's identity itself; the others are what applications asked for.
	Own          bool          `json:"own"`
	Principal    string        `json:"principal,omitempty"`
	ValidUntil   *time.Time    `json:"validUntil,omitempty"`
	NextExchange *time.Time    `json:"nextExchange,omitempty"`
	Exchanging   bool          `json:"exchanging,omitempty"`
	Failures     int           `json:"failures,omitempty"`
	LastError    *ErrorDetails `json:"lastError,omitempty"`
}

// ErrorDetails are the cloud's own words, and podpass's reading of them.
type ErrorDetails struct {
	Kind      federation.Kind `json:"kind"`
	Operation string          `json:"operation,omitempty"`
	Status    int             `json:"status,omitempty"`
	Code      string          `json:"code,omitempty"`
	Message   string          `json:"message"`
	Hint      string          `json:"hint,omitempty"`
	RequestID string          `json:"requestID,omitempty"`
}

func (b *Broker) explain(ctx context.Context) Explanation {
	e := Explanation{Version: b.config.Version, Time: time.Now().UTC(), Identities: b.config.identities}
	for _, name := range b.tokens() {
		state := TokenState{Cloud: name}
		if t, err := b.token(name).SubjectToken(ctx); err != nil {
			state.Error = err.Error()
		} else {
			state.Claims = &t.Claims
		}
		e.Tokens = append(e.Tokens, state)
	}
	for _, s := range b.cache.Snapshot() {
		e.Credentials = append(e.Credentials, credentialState(s))
	}
	return e
}

// tokens are the names of the pod's subject tokens.
func (b *Broker) tokens() []string {
	var list []string
	for _, cloud := range b.clouds() {
		if cloud != "oidc" {
			list = append(list, cloud)
			continue
		}
		for _, s := range b.config.identities.OIDC.Sources {
			list = append(list, s.TokenFile())
		}
	}
	return list
}

func credentialState(s cache.State) CredentialState {
	c := CredentialState{Cloud: s.Cloud, Name: s.Name, Key: s.Key, Own: s.Pinned, Principal: s.Principal, Exchanging: !s.Exchanging.IsZero(), Failures: s.Failures}
	if s.Valid() {
		c.ValidUntil = new(s.ValidUntil.UTC())
	}
	if !s.NextExchange.IsZero() {
		c.NextExchange = new(s.NextExchange.UTC())
	}
	if s.Err != nil {
		d := &ErrorDetails{Kind: federation.KindOf(s.Err), Message: s.Err.Error()}
		if f, ok := errors.AsType[*federation.Error](s.Err); ok {
			d.Operation, d.Status, d.Code, d.Hint, d.RequestID = f.Op, f.Status, f.Code, f.Hint, f.RequestID
			if f.Message != "" {
				d.Message = f.Message
			}
		}
		c.LastError = d
	}
	return c
}
