package kubetoken

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation"
)

// GitHub's own variables of a job that may have tokens:
// https://docs.github.com/actions/reference/security/oidc
const (
	requestURL   = "ACTIONS_ID_TOKEN_REQUEST_URL"
	requestToken = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
	serverURL    = "GITHUB_SERVER_URL"
)

// actionsHost is below which github.com's token endpoints are.
const actionsHost = "actions.githubusercontent.com"

// github gives the tokens of a job of GitHub Actions.
type github struct {
	url      *url.URL
	bearer   federation.Secret
	audience string
	client   *http.Client
}

func newGitHub(getenv func(string) string, client *http.Client, audience string) (*github, error) {
	raw, bearer := getenv(requestURL), getenv(requestToken)
	switch {
	case raw != "" && bearer != "":
	case getenv(gitlabCI) == "true":
		const name = "KUBE_TOKEN"
		return nil, hint.New(errors.New("--github: this is a job of GitLab"), "give it "+idTokens(name, audience)+", and set --token-env "+name+" in the place of --github")
	default:
		return nil, hint.New(fmt.Errorf("the variables %s and %s are not set: this is no GitHub Actions job that may have tokens", requestURL, requestToken),
			"give the job permissions: {id-token: write}; jobs of pull requests from forks get none")
	}
	u, err := tokenEndpoint(raw, getenv(serverURL))
	if err != nil {
		return nil, err
	}
	return &github{u, federation.Secret(bearer), audience, client}, nil
}

// tokenEndpoint checks the URL to which the job's bearer token is sent. A step of a job may
// set the ACTIONS variables, by which a workflow that somebody changes could send the bearer
// elsewhere; it cannot set GITHUB_SERVER_URL, so that the host is held to that: of
// github.com, below Actions' own domain; of any other GitHub, its host or one below it.
func tokenEndpoint(raw, server string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return nil, errors.New(requestURL + " is no https URL: the job's token is not sent there")
	}
	own, err := url.Parse(cmp.Or(server, "https://github.com"))
	if err != nil || own.Scheme != "https" || own.Hostname() == "" {
		return nil, errors.New(serverURL + " is no https URL: nobody can tell where the job's token may be sent")
	}
	host, port := strings.ToLower(own.Hostname()), own.Port()
	if host == "github.com" {
		host, port = actionsHost, ""
	}
	is := strings.ToLower(u.Hostname())
	below := strings.HasSuffix(is, "."+host)
	if is != host && !below || cmp.Or(u.Port(), "443") != cmp.Or(port, "443") {
		return nil, hint.New(fmt.Errorf("%s is of the host %q, which is not of %s: the job's token is not sent there", requestURL, u.Host, host),
			"let no step of the job set that variable; GitHub sets it")
	}
	return u, nil
}

// SubjectToken implements federation.TokenSource.
func (g *github) SubjectToken(ctx context.Context) (federation.SubjectToken, error) {
	u := *g.url
	q := u.Query()
	q.Set("audience", g.audience)
	u.RawQuery = q.Encode()
	var out struct {
		Value federation.Secret `json:"value"`
	}
	where := u.Scheme + "://" + u.Host
	if err := ask(ctx, g.client, "ask GitHub Actions for a token", where, u.String(), g.bearer, &out); err != nil {
		return federation.SubjectToken{}, err
	}
	return parse("the answer of "+where, []byte(out.Value.Reveal()))
}

// key names what decides about the token: the bearer is another one in each job.
func (g *github) key() string {
	return fmt.Sprintf("github/%q/%q/%q", g.url, g.audience, g.bearer.Reveal())
}
