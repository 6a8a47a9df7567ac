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
	"os"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/kubeconfig"
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
func (o checkOptions) tokens(ctx context.Context, stdin io.Reader) (func(cloud) token, error) {
	if o.tokenFile != "" {
		t, err := readToken(o.tokenFile)
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
	settings, err := manifest.Settings(o.settings, o.version)
	if err != nil {
		return nil, err
	}
	c := federation.Claims{Issuer: o.issuer, Subject: o.subject, ServiceAccount: o.account}
	var answer serviceaccount.Answer
	if o.account != "" {
		if c.Namespace, err = o.ownNamespace(); err != nil {
			return nil, err
		}
		c.Subject = "system:serviceaccount:" + c.Namespace + ":" + c.ServiceAccount
		if answer, err = o.resolve(ctx, stdin, c, settings.Installation); err != nil {
			return nil, err
		}
	}
	if c.Issuer == "" {
		k, err := o.connect(o.context)
		if err != nil {
			return nil, err
		}
		cluster, err := k.issuer(ctx, false)
		if err != nil {
			return nil, err
		}
		c.Issuer = cluster.Issuer
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

// ownNamespace is that of the ServiceAccount.
func (o checkOptions) ownNamespace() (string, error) {
	switch {
	case o.namespace != "":
		return o.namespace, nil
	case len(o.files) > 0 || o.issuer != "":
		return "default", nil // no cluster is asked
	}
	namespace, _, err := kubeconfig.Load(o.kubeconfig, o.context).Namespace()
	if err != nil {
		return "", hint.New(fmt.Errorf("kubeconfig: %w", err), "set --namespace, --kubeconfig or --context")
	}
	return namespace, nil
}

// resolve is what the ServiceAccount asks for, which decides its audience: of the
// files, or of the cluster unless --issuer or --audience make do without.
func (o checkOptions) resolve(ctx context.Context, stdin io.Reader, c federation.Claims, in serviceaccount.Installation) (serviceaccount.Answer, error) {
	a := object{namespace: c.Namespace, name: c.ServiceAccount}
	switch {
	case len(o.files) > 0:
		objects, err := manifest.Read(stdin, o.files)
		if err != nil {
			return serviceaccount.Answer{}, err
		}
		found, ok := manifest.ServiceAccounts(objects, c.Namespace)[c.Namespace+"/"+c.ServiceAccount]
		if !ok {
			return serviceaccount.Answer{}, hint.New(fmt.Errorf("ServiceAccount %s/%s is in none of the files", c.Namespace, c.ServiceAccount), "name its namespace with -n")
		}
		a.annotations, a.labels = found.Metadata.Annotations, found.Metadata.Labels
	case o.issuer == "":
		k, err := o.connect(o.context)
		if err != nil {
			return serviceaccount.Answer{}, err
		}
		if a, err = k.get(ctx, c.Namespace, c.ServiceAccount); err != nil {
			return serviceaccount.Answer{}, err
		}
	}
	return serviceaccount.Resolve(serviceaccount.Request{
		Namespace: a.namespace, Name: a.name, Annotations: a.annotations, Labels: a.labels, AnyPod: true,
	}, in), nil
}

// readToken reads a token's claims; none of its errors quotes it.
func readToken(file string) (token, error) {
	f, err := os.Open(file)
	if err != nil {
		return token{}, fmt.Errorf("--token-file: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	if err == nil && len(raw) > maxToken {
		err = fmt.Errorf("is larger than %d bytes", maxToken)
	}
	if err != nil {
		return token{}, fmt.Errorf("--token-file %s: %w", file, err)
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
