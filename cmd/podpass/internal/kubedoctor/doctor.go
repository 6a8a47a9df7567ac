// Package kubedoctor is `podpass doctor kube`: it follows the chain from a token to what
// its bearer may do at an API server, and says which link is broken.
//
// The API server is asked who the bearer is, and what it has loaded; its configuration,
// which it shows to nobody, is read of a file and evaluated by the API server's own code
// (federation/trust/kubetrust). The issuer is asked as the API server asks it, from here.
// Nothing is changed.
package kubedoctor

import (
	"context"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// Options are what a run looks at.
type Options struct {
	// Configuration is the AuthenticationConfiguration that the API server is said to have;
	// nil: it is not known.
	Configuration []byte
	// Token is somebody's; empty: that of the kubeconfig's user.
	Token federation.Secret
	// Wanted is what the bearer wants to do; nil: nothing in particular.
	Wanted *kubetrust.Access
	// IssuerCA, in PEM, is who is trusted at the issuer where there is no configuration to
	// say it; empty: the system's roots are.
	IssuerCA []byte
	// Say tells what is under way.
	Say func(format string, args ...any)
}

// The links, in the order in which the first broken one should be mended.
const (
	linkServer         = "server"
	linkCredential     = "credential"
	linkConfiguration  = "configuration"
	linkLoaded         = "loaded"
	linkIssuer         = "issuer"
	linkAuthentication = "authentication"
	linkAnswer         = "answer"
	linkAccess         = "access"
)

type link struct {
	name, about string
	look        func(*run, context.Context) ([]finding.Finding, error)
	// missing says why there is nothing to look at; empty: there is.
	missing func(*run) string
}

var chain = []link{
	{linkServer, "the API server answers, knows structured authentication, and its clock is right", (*run).server, nil},
	{linkCredential, "there is a token, and it can be read", (*run).credential, nil},
	{linkConfiguration, "the API server would take the configuration, and its issuers cannot name each other's people", (*run).configuration, needsConfiguration},
	{linkLoaded, "the API server runs this configuration, took its last change, and has the issuers' keys", (*run).loaded, nil},
	{linkIssuer, "the issuer's discovery document and keys can be read as the API server reads them", (*run).issuer, needsIssuer},
	{linkAuthentication, "the configuration takes the token: audience, time, signature, claims, username and groups", (*run).authentication, needsBoth},
	{linkAnswer, "the API server takes the token, for whom the configuration says", (*run).answer, needsAnswer},
	{linkAccess, "RBAC has rights for the user", (*run).access, needsUser},
}

func needsConfiguration(r *run) string {
	if r.Configuration == nil {
		return "give the configuration, to look at it"
	}
	return ""
}

func needsToken(r *run) string {
	if r.token == "" {
		return "there is no token"
	}
	return ""
}

func needsAnswer(r *run) string {
	if why := needsToken(r); why != "" {
		return why
	}
	if r.answered == nil && r.refusal == nil {
		return "the API server does not say who somebody is"
	}
	return ""
}

func needsForeign(r *run) string {
	if why := needsToken(r); why != "" {
		return why
	}
	if r.answered != nil && strings.HasPrefix(r.answered.Username, "system:serviceaccount:") {
		return "the API server itself made the token"
	}
	return ""
}

func needsBoth(r *run) string {
	if why := needsForeign(r); why != "" {
		return why
	}
	return needsConfiguration(r)
}

func needsIssuer(r *run) string {
	if why := needsForeign(r); why != "" {
		return why
	}
	if r.claims == nil {
		return "the token does not name its issuer"
	}
	if r.document != nil {
		if _, ok := r.document.Place(r.claims.Issuer); !ok {
			return "the configuration does not have the token's issuer"
		}
	}
	return ""
}

func needsUser(r *run) string {
	if r.user == nil {
		return "nobody has taken the token"
	}
	return ""
}

// pointless are the later links that a finding makes pointless.
var pointless = map[string][]string{
	codeUnreachable:         {linkCredential, linkLoaded, linkIssuer, linkAuthentication, linkAnswer, linkAccess},
	codeCredential:          {linkLoaded, linkIssuer, linkAuthentication, linkAnswer, linkAccess},
	kubetrust.CodeToken:     {linkIssuer, linkAuthentication, linkAnswer},
	kubetrust.CodeMalformed: {linkLoaded, linkIssuer, linkAuthentication, linkAnswer},
	kubetrust.CodeInvalid:   {linkLoaded, linkIssuer, linkAuthentication, linkAnswer},
	kubetrust.CodeExpired:   {linkAnswer},
	kubetrust.CodeIssuer:    {linkAnswer},
	codeIssuerURL:           {linkAuthentication, linkAnswer},
	codeCertificate:         {linkAnswer},
	codeDiscovery:           {linkAnswer},
	codeDocument:            {linkAnswer},
	codeKeys:                {linkAnswer},
	codeNotPublished:        {linkAnswer},
	codeNotLoaded:           {linkAnswer},
	codeReload:              {linkAnswer},
	codeFetch:               {linkAnswer},
}

// run is one run of the chain.
type run struct {
	Options
	config *rest.Config
	client kubernetes.Interface

	minor    int // of the API server's version 1.N; zero: it is not known
	document *kubetrust.Document
	token    string // the encoded JWT, or another bearer token
	claims   *federation.Claims
	jwks     []byte          // of the token's issuer
	answered *kubetrust.User // by the API server
	refusal  error           // of the API server; both nil: it was not asked
	verdict  *kubetrust.Verdict
	user     *kubetrust.User
	bindings []string
}

// Result is what a run has found.
type Result struct {
	*report.Report
	// User is who the token's bearer is for the API server, or would be by the configuration;
	// nil: nobody.
	User *kubetrust.User
	// Bindings are those of RBAC that are for the user.
	Bindings []string
}

// Run follows the chain. config is of whoever looks, who need not be the token's bearer. An
// error is what stood in the way of looking.
func Run(ctx context.Context, config *rest.Config, o Options) (*Result, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	r := &run{Options: o, config: config, client: client, token: o.Token.Reveal()}
	if r.Say == nil {
		r.Say = func(string, ...any) {}
	}
	all := &report.Report{Tool: "podpass doctor kube", Time: time.Now().UTC().Truncate(time.Second), Looked: []report.Count{{What: "tokens", N: 1}}}
	blocked := map[string][]string{}
	for _, l := range chain {
		check := report.Check{Name: l.name, About: l.about, Result: report.NotRun}
		if because := blocked[l.name]; len(because) > 0 {
			check.Result, check.Because, check.About = report.Skipped, because, r.said(l)
			all.Checks = append(all.Checks, check)
			continue
		}
		if l.missing != nil {
			if why := l.missing(r); why != "" {
				check.Because = []string{why}
				all.Checks = append(all.Checks, check)
				continue
			}
		}
		r.Say("%s", l.about)
		found, err := l.look(r, ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil { // what was found so far is not lost
			found = append(found, finding.Sides(finding.Broad(codeMayNot, l.name, "could not be looked at"), "", err.Error()))
		}
		check.Result = report.Sound
		for _, f := range found {
			all.Findings = append(all.Findings, report.Finding{Finding: f})
			if !slices.Contains(check.Codes, f.Code) {
				check.Codes = append(check.Codes, f.Code)
				check.Result = report.Found
			}
			for _, later := range pointless[f.Code] {
				blocked[later] = append(blocked[later], f.Code)
			}
		}
		check.About = r.said(l)
		all.Checks = append(all.Checks, check)
	}
	all.Sort()
	return &Result{all, r.user, r.bindings}, nil
}

// said is what a link looks at, or who and what was seen there.
func (r *run) said(l link) string {
	switch {
	case l.name == linkAnswer && r.answered != nil:
		return "the API server takes the token as " + who(*r.answered)
	case l.name == linkAuthentication && r.verdict != nil && r.verdict.User != nil:
		return "the configuration takes the token as " + who(*r.verdict.User)
	case l.name == linkAccess && len(r.bindings) > 0:
		return "RBAC has rights for the user: " + finding.Clip(strings.Join(r.bindings, ", "))
	}
	return l.about
}

func who(u kubetrust.User) string {
	return finding.Clip(u.Username) + ", in groups " + finding.Clip(strings.Join(u.Groups, ", "))
}
