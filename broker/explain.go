package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/podpass-io/podpass/broker/cache"
	"github.com/podpass-io/podpass/broker/guard"
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
	i := b.config.identities
	for _, c := range []struct {
		name string
		has  bool
	}{{"aws", i.AWS != nil}, {"gcp", i.GCP != nil}, {"azure", i.Azure != nil}} {
		if c.has {
			list = append(list, c.name)
		}
	}
	if i.OIDC != nil {
		for _, s := range i.OIDC.Sources {
			list = append(list, s.TokenFile())
		}
	}
	return list
}

func credentialState(s cache.State) CredentialState {
	c := CredentialState{Cloud: s.Cloud, Key: s.Key, Own: s.Pinned, Principal: s.Principal, Exchanging: s.Exchanging, Failures: s.Failures}
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

// Err is why the pod lacks a credential of its own; nil: it has them all.
func (e *Explanation) Err() error {
	var errs []error
	for _, c := range e.Credentials {
		switch {
		case !c.Own || c.ValidUntil != nil:
		case c.LastError == nil:
			errs = append(errs, fmt.Errorf("%s: the cloud has not answered yet", c.Cloud))
		default:
			errs = append(errs, fmt.Errorf("%s: %s: %s", c.Cloud, c.LastError.Kind, c.LastError.text()))
		}
	}
	return errors.Join(errs...)
}

func (d *ErrorDetails) text() string {
	s := d.Message
	if d.Code != "" && !strings.Contains(s, d.Code) {
		s = d.Code + ": " + s
	}
	if d.Hint != "" && !strings.Contains(s, d.Hint) {
		s += "; hint: " + d.Hint
	}
	return s
}

// Print writes it for people.
func (e *Explanation) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "podpass-broker %s\n\nCLOUD\tTOKEN\tSUBJECT\tAUDIENCE\tEXPIRES\n", e.Version)
	for _, t := range e.Tokens {
		if t.Claims == nil {
			fmt.Fprintf(w, "%s\t%s\n", t.Cloud, t.Error)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", t.Cloud, t.Claims.Issuer, t.Claims.Subject, strings.Join(t.Claims.Audiences, ","), e.in(&t.Claims.Expiry))
	}
	fmt.Fprint(w, "\nCLOUD\tCREDENTIAL\tVALID FOR\tNEXT EXCHANGE\tPRINCIPAL\n")
	for _, c := range e.Credentials {
		kind := "asked for"
		if c.Own {
			kind = "own"
		}
		valid := "-"
		if c.ValidUntil != nil {
			valid = e.in(c.ValidUntil)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.Cloud, kind, valid, e.in(c.NextExchange), c.Principal)
		if c.LastError != nil {
			fmt.Fprintf(w, "\t%s, %d tries: %s\n", c.LastError.Kind, c.Failures, c.LastError.text())
		}
	}
	return w.Flush()
}

// in is how long after the explanation a moment is.
func (e *Explanation) in(t *time.Time) string {
	if t == nil {
		return "-"
	}
	if d := t.Sub(e.Time).Round(time.Second); d > 0 {
		return d.String()
	}
	return "now"
}
