package trust

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/accounts"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// token is what is known of the one that a pod would send.
type token struct {
	federation.Claims
	// all are the claims as the JWT has them.
	all map[string]any
	// request is what goes with it.
	request map[string]string
}

// with is the token with another audience.
func (t token) with(audience string) token {
	t.Audiences = []string{audience}
	t.all = maps.Clone(t.all)
	t.all["aud"] = []any{audience}
	return t
}

// maxToken bounds a token's file; it is the bound that the broker has.
const maxToken = 32 << 10

// tokens gives the token that a cloud would get: its audience is the cloud's.
func (o checkOptions) tokens(ctx context.Context, stdin io.Reader, stderr io.Writer) (func(cloud) token, error) {
	if o.tokenFile != "" {
		t, err := readToken(stdin, o.tokenFile)
		if err != nil {
			return nil, err
		}
		t.request = o.request
		if o.issuer != "" || o.audience != "" {
			return nil, hint.New(errors.New("--token-file has the token's issuer and audience"), "leave --issuer and --audience out")
		}
		return func(cloud) token { return t }, nil
	}
	if o.account == "" && o.subject == "" {
		return nil, hint.New(errors.New("whose token?"), "name the ServiceAccount with -n and --service-account, or give --token-file")
	}
	c := federation.Claims{Issuer: o.issuer, Subject: o.subject, ServiceAccount: o.account}
	var k *kube // none where what is given says all
	if c.Issuer == "" {
		var err error
		if k, err = connect(o.cluster, "--issuer"); err != nil {
			return nil, err
		}
		own, err := k.issuer(ctx, false)
		if err != nil {
			return nil, err
		}
		c.Issuer = own.Issuer
	}
	var client kubernetes.Interface
	if k != nil {
		client = k.client
	}
	settings, _, err := o.cluster.Settings(ctx, client, stderr)
	if err != nil {
		return nil, err
	}
	var answer serviceaccount.Answer
	if o.account != "" {
		a, err := o.read(ctx, k, stdin)
		if err != nil {
			return nil, err
		}
		c.Namespace = a.Namespace
		c.Subject = "system:serviceaccount:" + a.Namespace + ":" + a.Name
		answer = a.Resolve(settings.Installation)
	}
	return func(cloud cloud) token {
		own := c
		own.Audiences = []string{cmp.Or(o.audience, cloud.audience(answer, settings.Installation))}
		return token{Claims: own, all: jwt(own), request: o.request}
	}, nil
}

// jwt are the claims that a token of the ServiceAccount has for certain.
func jwt(c federation.Claims) map[string]any {
	audiences := make([]any, 0, len(c.Audiences)) // as JSON has it
	for _, a := range c.Audiences {
		audiences = append(audiences, a)
	}
	all := map[string]any{"iss": c.Issuer, "sub": c.Subject, "aud": audiences}
	if c.ServiceAccount != "" {
		all["kubernetes.io"] = map[string]any{"namespace": c.Namespace, "serviceaccount": map[string]any{"name": c.ServiceAccount}}
	}
	return all
}

// read gives the ServiceAccount, whose annotations decide the audience: of the files, or
// of the cluster; its name alone where no cluster is asked.
func (o checkOptions) read(ctx context.Context, k *kube, stdin io.Reader) (accounts.Account, error) {
	namespace := cmp.Or(o.cluster.GivenNamespace(), "default")
	switch {
	case len(o.files) > 0:
		list, err := accounts.OfFiles(stdin, o.files, namespace)
		if err != nil {
			return accounts.Account{}, err
		}
		return accounts.Find(list, namespace, o.account)
	case k == nil:
		return accounts.Account{Namespace: namespace, Name: o.account}, nil
	}
	return accounts.Get(ctx, k.config, k.namespace, o.account)
}

// readToken reads a token's claims; none of its errors quotes it.
func readToken(stdin io.Reader, file string) (token, error) {
	raw, err := manifest.ReadFile(stdin, file, maxToken)
	if err != nil {
		return token{}, fmt.Errorf("--token-file: %w", err)
	}
	parsed, err := federation.ParseSubjectToken(raw)
	if err != nil {
		return token{}, fmt.Errorf("--token-file %s: %w", file, err)
	}
	t := token{Claims: parsed.Claims}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(strings.TrimSpace(string(raw)), ".")[1])
	if err != nil {
		return token{}, fmt.Errorf("--token-file %s: not a JWT", file)
	}
	if json.Unmarshal(payload, &t.all) != nil {
		return token{}, fmt.Errorf("--token-file %s: not a JWT", file)
	}
	return t, nil
}
