// Package kubetoken gets tokens for Kubernetes API servers: a ServiceAccount's, asked of
// another cluster; a file's; a CI job's, of GitHub or GitLab; or what a token source gives
// for one of these. It is what `podpass token kube` prints and `podpass kubeconfig` writes
// down.
//
// A token is checked before it is used: that it lives, and is for the audience that was
// asked for. What had to be asked for is kept on disk until little of its life is left,
// since kubectl starts a plugin for each command.
package kubetoken

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/oidc"
)

// Options say where the token comes from: exactly one of ServiceAccount, TokenFile, Broker,
// GitHub and TokenEnv.
type Options struct {
	// ServiceAccount, in Namespace, whose token the cluster of the kubeconfig gives.
	ServiceAccount, Namespace string
	// Kubeconfig and Context are written down alone: what is asked is cluster.Flags'.
	Kubeconfig, Context string
	// TokenFile holds a token, as kubelet projects it.
	TokenFile string
	// Broker is the pod's; Source is the name of the token source there.
	Broker bool
	// GitHub is GitHub Actions, which gives a job tokens for any audience.
	GitHub bool
	// TokenEnv is the name of a variable that holds a token, as GitLab's id_tokens.
	TokenEnv string

	// Source is a token source of SettingsFile, which takes the token and gives another.
	Source       string
	SettingsFile string
	// Audience that the token must have.
	Audience string
}

// AddFlags adds the flags that say where the token comes from, but --token-file and
// --settings, which commands have already.
func (o *Options) AddFlags(set *pflag.FlagSet) {
	set.StringVar(&o.Audience, "audience", "", "audience by which the API server knows that a token is for it")
	set.BoolVar(&o.GitHub, "github", false, "the token of this GitHub Actions job, which needs permissions: {id-token: write}")
	set.StringVar(&o.TokenEnv, "token-env", "", "`name` of the variable that holds the token, as GitLab's id_tokens sets it")
	set.BoolVar(&o.Broker, "broker", false, "the token that the broker of this pod has of --source")
	set.StringVar(&o.Source, "source", "", "`name` of a token source that takes the token and gives the API server's: of --settings, or of the broker")
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// Validate reports what is wrong with the options.
func (o *Options) Validate() error {
	given := 0
	for _, is := range []bool{o.ServiceAccount != "", o.TokenFile != "", o.Broker, o.GitHub, o.TokenEnv != ""} {
		if is {
			given++
		}
	}
	exchanged := o.Source != "" && !o.Broker
	switch {
	case given != 1:
		return hint.New(fmt.Errorf("want one source of the token, got %d", given), "name a ServiceAccount, or set --github, --token-env, --token-file or --broker")
	case o.Audience != "" && !oidc.ValidAudience(o.Audience):
		return errors.New("--audience: want at most 256 printable characters, none of them a blank or a comma")
	case o.TokenEnv != "" && !variable.MatchString(o.TokenEnv):
		// Not quoted: it may be the token, given where its variable's name belongs.
		return hint.New(errors.New("--token-env: want the name of a variable"), "give the name alone, without $")
	case o.Source != "" && !federation.ValidName(o.Source):
		return fmt.Errorf("--source: %q is not the name of a token source", o.Source)
	case o.Broker && o.Source == "":
		return hint.New(errors.New("--broker: of which token source"), "name it by --source, as the annotation podpass.io/oidc-token-sources does")
	case o.Broker && o.SettingsFile != "":
		return errors.New("--settings: the broker has its own")
	case exchanged && o.SettingsFile == "":
		return hint.New(fmt.Errorf("--source: where is the token source %s described", o.Source), "give the file by --settings: oidc: {tokenSources: {"+o.Source+": {tokenURL, audience}}}")
	case !exchanged && !o.Broker && o.SettingsFile != "":
		return hint.New(errors.New("--settings: without --source there is nothing in it to use"), "name a token source of it by --source")
	case o.Audience == "" && !exchanged && (o.ServiceAccount != "" || o.GitHub):
		return hint.New(errors.New("for which audience is the token to be"), "set --audience to one that the API server's authentication configuration has for the token's issuer")
	}
	return nil
}

// Args are the arguments of podpass that get the same token.
func (o *Options) Args() []string {
	args := []string{"token", "kube"}
	if o.ServiceAccount != "" {
		args = append(args, o.ServiceAccount)
	}
	for _, f := range []struct{ flag, value string }{
		{"namespace", o.Namespace}, {"kubeconfig", o.Kubeconfig}, {"context", o.Context}, {"token-file", o.TokenFile},
		{"token-env", o.TokenEnv}, {"settings", o.SettingsFile}, {"source", o.Source}, {"audience", o.Audience},
	} {
		if f.value != "" {
			args = append(args, "--"+f.flag+"="+f.value)
		}
	}
	for _, f := range []struct {
		flag string
		set  bool
	}{{"broker", o.Broker}, {"github", o.GitHub}} {
		if f.set {
			args = append(args, "--"+f.flag)
		}
	}
	return args
}

// origin names where the token comes from, for messages.
func (o *Options) origin() string {
	switch {
	case o.TokenFile != "":
		return "the token in " + o.TokenFile
	case o.TokenEnv != "":
		return "the token in the variable " + o.TokenEnv
	case o.GitHub:
		return "the token of GitHub Actions"
	case o.Broker:
		return "the broker's token of " + o.Source
	}
	return "the token of ServiceAccount " + strings.TrimPrefix(o.Namespace+"/"+o.ServiceAccount, "/")
}
