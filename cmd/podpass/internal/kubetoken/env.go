package kubetoken

import (
	"cmp"
	"context"
	"errors"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation"
)

// gitlabCI is "true" in each job of GitLab. Nothing there gives a token when it is asked for,
// as at GitHub: those of id_tokens are in variables whose names are the job's own.
// https://docs.gitlab.com/ci/secrets/id_token_authentication/
const gitlabCI = "GITLAB_CI"

// idTokens is what a job of GitLab says in order to have a token in a variable.
func idTokens(name, audience string) string {
	return "id_tokens: {" + name + ": {aud: " + cmp.Or(audience, "AUDIENCE") + "}}"
}

// env is a token in a variable.
type env struct {
	getenv         func(string) string
	name, audience string
}

// SubjectToken implements federation.TokenSource.
func (e env) SubjectToken(context.Context) (federation.SubjectToken, error) {
	raw := e.getenv(e.name)
	if raw == "" {
		next := "in GitLab, give the job "
		if e.getenv(gitlabCI) == "true" {
			next = "give this job, in .gitlab-ci.yml, "
		}
		return federation.SubjectToken{}, hint.New(errors.New("the variable "+e.name+" is not set"), next+idTokens(e.name, e.audience))
	}
	return parse("the variable "+e.name, []byte(raw))
}
