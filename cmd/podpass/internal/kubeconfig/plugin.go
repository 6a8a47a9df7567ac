package kubeconfig

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	clientauthenticationv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
)

// person is how somebody signs in, by kubelogin's command get-token:
// https://github.com/int128/kubelogin/blob/master/docs/usage.md
type person struct {
	is                           bool
	issuer, client, flow, caFile string
	scopes                       []string
}

// flows are the values of --flow.
var flows = []string{"browser", "device"}

func (p *person) addFlags(f *pflag.FlagSet) {
	f.BoolVar(&p.is, "person", false, "for a person, who signs in at --issuer-url")
	f.StringVar(&p.issuer, "issuer-url", "", "`URL` of the OpenID provider at which people sign in")
	f.StringVar(&p.client, "client-id", "", "`ID` of the public client for kubectl at the provider; the API server has it as audience")
	f.StringArrayVar(&p.scopes, "scope", nil, "further scope to ask for, as groups; may be repeated; offline_access is always asked for, so that the session renews")
	f.StringVar(&p.flow, "flow", "browser", "browser; or device: a code to type into a browser on another machine")
	f.StringVar(&p.caFile, "issuer-certificate-authority", "", "`file` with the CA of --issuer-url, which has to be on the person's machine (default: the machine's own)")
}

// plugin is what gets the tokens.
func (o *options) plugin(at target) (*clientcmdapi.ExecConfig, error) {
	e := &clientcmdapi.ExecConfig{APIVersion: clientauthenticationv1.SchemeGroupVersion.String()}
	if o.person.is {
		if err := o.personal(at); err != nil {
			return nil, err
		}
		e.Command, e.Args = "kubectl", o.person.args()
		e.InteractiveMode = clientcmdapi.IfAvailableExecInteractiveMode
		e.InstallHint = "kubelogin signs you in to this cluster: kubectl krew install oidc-login"
		return e, nil
	}
	if err := o.mechanical(at); err != nil {
		return nil, err
	}
	e.Command, e.Args = "podpass", o.machine.Args()
	e.InteractiveMode = clientcmdapi.NeverExecInteractiveMode
	// By it podpass refuses to give the token to a client that would not check who gets it.
	e.ProvideClusterInfo = true
	e.InstallHint = "podpass gets the token for this cluster, and has to be on the PATH: https://github.com/podpass-io/podpass"
	return e, nil
}

// personal checks the flags for a person.
func (o *options) personal(at target) error {
	m, p := &o.machine, &o.person
	if m.GitHub || m.Broker || m.TokenEnv != "" || m.TokenFile != "" || o.account != "" || m.Source != "" || m.Audience != "" || o.cluster.SettingsFile != "" && !at.installed {
		return errors.New("--person excludes the flags for machines: --github, --token-env, --token-file, --broker, --service-account, --source, --settings and --audience")
	}
	u, err := url.Parse(p.issuer)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return hint.New(errors.New("--issuer-url: want the https URL of the provider"), "take the one in its document /.well-known/openid-configuration, letter by letter")
	case p.client == "":
		return hint.New(errors.New("--client-id: required with --person"), "make a public client for kubectl at the provider, with PKCE and the redirect URL http://localhost:8000")
	case !slices.Contains(flows, p.flow):
		return hint.New(fmt.Errorf("unknown flow %q", p.flow), "use "+strings.Join(flows, " or "))
	}
	for _, s := range append(p.scopes, p.client) {
		if !validName(s) {
			return fmt.Errorf("%q is neither a scope nor a client ID", s)
		}
	}
	return nil
}

func (p *person) args() []string {
	args := []string{"oidc-login", "get-token", "--oidc-issuer-url=" + p.issuer, "--oidc-client-id=" + p.client, "--oidc-extra-scope=offline_access"}
	for _, s := range p.scopes {
		if s != "openid" && s != "offline_access" {
			args = append(args, "--oidc-extra-scope="+s)
		}
	}
	grant := "authcode"
	if p.flow == "device" {
		grant = "device-code"
	}
	// A public client has no password: the code is bound to who asked for it instead.
	args = append(args, "--oidc-pkce-method=S256", "--grant-type="+grant)
	if p.caFile != "" {
		args = append(args, "--certificate-authority="+p.caFile)
	}
	return args
}

// mechanical checks the flags for a machine, and makes paths complete: kubectl runs the
// plugin in whatever directory it is started in.
func (o *options) mechanical(at target) error {
	p := &o.person
	if p.issuer != "" || p.client != "" || len(p.scopes) > 0 || p.caFile != "" || p.flow != "browser" {
		return hint.New(errors.New("--issuer-url, --client-id, --scope, --flow and --issuer-certificate-authority are for people"), "set --person")
	}
	m := &o.machine
	exchanged := m.Source != "" && !m.Broker
	if exchanged || !at.installed { // else it said where the API server is, and no more
		m.SettingsFile = o.cluster.SettingsFile
	}
	if !exchanged && !m.Broker && m.Audience == "" { // what a source gives has its provider's
		m.Audience = at.audience
	}
	if o.account != "" {
		var ok bool
		if m.Namespace, m.ServiceAccount, ok = strings.Cut(o.account, "/"); !ok || m.Namespace == "" || m.ServiceAccount == "" || strings.Contains(m.ServiceAccount, "/") {
			return errors.New("--service-account: want NAMESPACE/NAME")
		}
		if m.Context == "" {
			return hint.New(errors.New("--service-account: of which cluster"), "set --issuer-context: this cluster's own context would ask for the token by itself")
		}
	} else if m.Context != "" || m.Kubeconfig != "" {
		return errors.New("--issuer-context and --issuer-kubeconfig go with --service-account")
	}
	for _, file := range []*string{&m.TokenFile, &m.SettingsFile, &m.Kubeconfig} {
		if *file == "" {
			continue
		}
		whole, err := filepath.Abs(*file)
		if err != nil {
			return err
		}
		*file = whole
	}
	return m.Validate()
}
