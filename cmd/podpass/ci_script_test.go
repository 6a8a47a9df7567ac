package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/broker/tokenapi"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/actions"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// setupCI makes a script a job of GitHub Actions, if it has a file ci.yaml, which names a
// token source: the job's variables, $WORK/settings.yaml with the source, which takes the
// job's tokens, and a pod's broker that has a token of it.
func setupCI(env *testscript.Env) error {
	raw, err := os.ReadFile(filepath.Join(env.WorkDir, "ci.yaml"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var ci struct {
		Source string `json:"source"`
	}
	if err := yaml.UnmarshalStrict(raw, &ci); err != nil {
		return err
	}
	t, ok := env.T().(testing.TB)
	if !ok {
		return errors.New("this is no test")
	}
	a := actions.Start(t)
	clouds := cloud.Start(t, trust.Config{
		Issuers: []trust.Issuer{a.Issuer.Trust()},
		OAuth:   trust.OAuth{Issuer: a.Issuer.URL, Audience: ci.Source, Subjects: []string{actions.Subject}, User: "ci"},
	})
	var roots []byte
	for _, file := range []string{a.Issuer.CAFile, clouds.CAFile} {
		ca, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		roots = append(roots, ca...)
	}
	settings, err := json.Marshal(map[string]any{
		"broker": map[string]string{"image": "example.com/podpass-broker:dev"},
		"oidc":   map[string]any{"tokenSources": map[string]any{ci.Source: map[string]string{"tokenURL": clouds.OAuth + "/token", "audience": ci.Source}}},
	})
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"roots.crt": roots, "settings.yaml": settings} {
		if err := os.WriteFile(filepath.Join(env.WorkDir, name), content, 0o600); err != nil {
			return err
		}
	}
	const secret = "8c3e3f0a-0000-4000-8000-000000000001"
	broker := httptest.NewServer(&tokenapi.Handler{
		AccessToken: func(context.Context) (federation.Credential, error) {
			return federation.Credential{Token: "of-the-broker", Expiry: federation.ExpiresIn(time.Now(), time.Hour)}, nil
		},
		Secret: secret, Log: slog.New(slog.DiscardHandler),
	})
	env.Defer(broker.Close)
	for _, v := range [][2]string{
		{"SSL_CERT_FILE", filepath.Join(env.WorkDir, "roots.crt")},
		{"GITHUB_SERVER_URL", a.URL}, {"ACTIONS_ID_TOKEN_REQUEST_URL", a.RequestURL}, {"ACTIONS_ID_TOKEN_REQUEST_TOKEN", a.RequestToken},
		{"PODPASS_TOKEN_URL", broker.URL + tokenapi.Path}, {"PODPASS_TOKEN_SECRET", secret},
	} {
		env.Setenv(v[0], v[1])
	}
	return nil
}
