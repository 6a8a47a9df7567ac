package kubetoken

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/oidc"
)

// Surroundings are what the token is got from and by.
type Surroundings struct {
	// Cluster is whose API server gives ServiceAccounts' tokens.
	Cluster *cluster.Flags
	// Getenv gives the environment's variables.
	Getenv func(string) string
	// Cache keeps tokens; nil: nothing is kept.
	Cache *Cache
	// Stderr gets warnings.
	Stderr io.Writer
	// HTTP talks to GitHub, brokers and token sources; nil: as the settings say.
	HTTP *http.Client
}

// Get gets the token. Its errors have none in them.
func (o *Options) Get(ctx context.Context, s Surroundings) (Token, error) {
	if err := o.Validate(); err != nil {
		return Token{}, err
	}
	var source oidc.Source
	if o.Source != "" && !o.Broker {
		settings, err := manifest.Settings(o.SettingsFile, "")
		if err != nil {
			return Token{}, err
		}
		var ok bool
		if source, ok = settings.OIDC.TokenSources[o.Source]; !ok {
			return Token{}, hint.New(fmt.Errorf("%s: there is no token source %q", o.SettingsFile, o.Source), "describe it at oidc.tokenSources."+o.Source)
		}
		source.Name = o.Source
		if s.HTTP == nil {
			if s.HTTP, err = endpoint.NewClient([]byte(settings.CABundle)); err != nil {
				return Token{}, fmt.Errorf("%s: caBundle: %w", o.SettingsFile, err)
			}
		}
	}
	if s.HTTP == nil {
		client, err := endpoint.NewClient(nil)
		if err != nil {
			return Token{}, err
		}
		s.HTTP = client
	}
	if o.Broker {
		t, err := ofBroker(ctx, s.Getenv, s.HTTP, o.Source)
		if err != nil {
			return Token{}, err
		}
		return t, t.check(o.origin(), o.Audience, time.Now())
	}
	return o.get(ctx, s, source)
}

// get gets the token of a source, the zero Source for none.
func (o *Options) get(ctx context.Context, s Surroundings, source oidc.Source) (Token, error) {
	audience := o.Audience
	if source.Name != "" {
		audience = source.Audience
	}
	subject, key, err := o.subject(s, audience)
	if err != nil {
		return Token{}, err
	}
	held := &checked{subject, o.origin(), audience}
	name := o.origin()
	fetch := func(ctx context.Context) (Token, error) {
		t, err := held.SubjectToken(ctx)
		return ofJWT(t, time.Now()), hint.Exchange(err)
	}
	if source.Name != "" {
		client := &oidc.Client{Source: source, Token: held, HTTP: s.HTTP}
		name = "the token of source " + source.Name
		if key, err = exchangeKey(ctx, key, held, client); err != nil {
			return Token{}, err
		}
		fetch = func(ctx context.Context) (Token, error) {
			c, err := client.AccessToken().Exchange(ctx)
			return ofCredential(c, time.Now()), exit.Found(hint.Exchange(err))
		}
	}
	whole := func(ctx context.Context) (Token, error) {
		t, err := fetch(ctx)
		if err != nil {
			return Token{}, err
		}
		return t, t.check(name, o.Audience, time.Now())
	}
	if s.Cache == nil || key == "" {
		return whole(ctx)
	}
	t, warning, err := s.Cache.Get(ctx, key+fmt.Sprintf("/%q", o.Audience), whole)
	if warning != nil {
		fmt.Fprintf(s.Stderr, "warning: %v\n", warning)
	}
	if err != nil {
		return Token{}, err
	}
	return t, t.check(name, o.Audience, time.Now())
}

// subject is where the token comes from that the API server or a token source takes; key
// names what decides about it, and is empty where nothing has to be asked: such a token is
// not kept a second time.
func (o *Options) subject(s Surroundings, audience string) (from federation.TokenSource, key string, err error) {
	switch {
	case o.TokenFile != "":
		return file(o.TokenFile), "", nil
	case o.TokenEnv != "":
		return env{s.Getenv, o.TokenEnv, audience}, "", nil
	case o.GitHub:
		g, err := newGitHub(s.Getenv, s.HTTP, audience)
		if err != nil {
			return nil, "", err
		}
		return g, g.key(), nil
	}
	a, err := newAccount(s.Cluster, o.ServiceAccount, audience)
	if err != nil {
		return nil, "", err
	}
	// What the messages call it.
	o.Namespace = a.namespace
	return a, a.key(), nil
}

// exchangeKey names what decides about a token source's token. A subject token that lies
// at hand is part of it, by its digest: another job's, in the same file or variable, must
// not get what the one before got.
func exchangeKey(ctx context.Context, subject string, held federation.TokenSource, c *oidc.Client) (string, error) {
	if subject == "" {
		t, err := held.SubjectToken(ctx)
		if err != nil {
			return "", hint.Exchange(err)
		}
		subject = fmt.Sprintf("token/%x", sha256.Sum256([]byte(t.Reveal())))
	}
	return subject + "/" + c.AccessToken().Key(), nil
}

// checked refuses a token before anybody is sent it.
type checked struct {
	federation.TokenSource
	name, audience string
}

// SubjectToken implements federation.TokenSource.
func (c *checked) SubjectToken(ctx context.Context) (federation.SubjectToken, error) {
	t, err := c.TokenSource.SubjectToken(ctx)
	if err != nil {
		return federation.SubjectToken{}, err
	}
	now := time.Now()
	if err := ofJWT(t, now).check(c.name, c.audience, now); err != nil {
		return federation.SubjectToken{}, err
	}
	return t, nil
}

// file is a token in a file. It may be kubelet's, or a CI's, whose errors would be others.
type file string

// maxFile bounds what is read: tokens take about 1.5 KiB.
const maxFile = 32 << 10

// SubjectToken implements federation.TokenSource.
func (f file) SubjectToken(context.Context) (federation.SubjectToken, error) {
	// Standard input is the client's, if anybody's: "-" has no token in it.
	raw, err := manifest.ReadFile(strings.NewReader(""), string(f), maxFile)
	if err != nil {
		return federation.SubjectToken{}, fmt.Errorf("--token-file: %w", err)
	}
	return parse(string(f), raw)
}
