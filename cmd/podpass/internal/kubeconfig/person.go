package kubeconfig

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/federation/trust/idp"
)

// person is how somebody signs in, by kubelogin's command get-token:
// https://github.com/int128/kubelogin/blob/master/docs/usage.md
type person struct {
	is, device                             bool
	provider, issuer, client, flow, caFile string
	secretFile                             string
	secret                                 string // of secretFile
	scopes                                 []string
}

// flows are the values of --flow.
var flows = []string{"browser", "device"}

// anyProvider is the value of --provider for one without a preset, as podpass trust kube has it.
const anyProvider = "oidc"

func (p *person) addFlags(f *pflag.FlagSet) {
	f.BoolVar(&p.is, "person", false, "for a person, who signs in at --issuer-url")
	f.StringVar(&p.provider, "provider", anyProvider, strings.Join(providers(), ", ")+": what it is that people sign in at, which decides about scopes and parameters")
	f.StringVar(&p.issuer, "issuer-url", "", "`URL` of the OpenID provider at which people sign in; google has it already")
	f.StringVar(&p.client, "client-id", "", "`ID` of the public client for kubectl at the provider; the API server has it as audience")
	f.StringVar(&p.secretFile, "client-secret-file", "", "`file` with the secret that google gives to programs on people's machines, - for standard input; it becomes part of the kubeconfig, and keeps nobody out")
	f.StringArrayVar(&p.scopes, "scope", nil, "further scope to ask for, as groups; may be repeated")
	f.StringVar(&p.flow, "flow", flows[0], "browser; or device: a code to type into a browser on another machine")
	f.BoolVar(&p.device, "device", false, "a second user and context, NAME-device, by --flow device")
	f.StringVar(&p.caFile, "issuer-certificate-authority", "", "`file` with the CA of --issuer-url, which has to be on the person's machine (default: the machine's own)")
}

// complete completes the flags' values.
func (p *person) complete(cmd *cobra.Command) {
	_ = cmd.MarkFlagFilename("client-secret-file") // completion only
	for flag, values := range map[string][]string{"flow": flows, "provider": providers()} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // completion only
	}
}

func providers() []string {
	var list []string
	for _, p := range idp.Providers {
		list = append(list, string(p))
	}
	return append(list, anyProvider)
}

// given reports whether anything was said that is for people.
func (p *person) given() bool {
	return p.issuer != "" || p.client != "" || len(p.scopes) > 0 || p.caFile != "" || p.secretFile != "" || p.device || p.flow != flows[0] || p.provider != anyProvider
}

// wants is what the provider wants of clients.
func (p *person) wants() idp.Client {
	if p.provider == anyProvider {
		return idp.Provider("").Client()
	}
	return idp.Provider(p.provider).Client()
}

// check reports what is wrong with the flags for a person, and reads the secret.
func (p *person) check(stdin io.Reader) error {
	if !slices.Contains(providers(), p.provider) {
		return hint.New(fmt.Errorf("unknown provider %q", p.provider), "use "+strings.Join(providers(), ", "))
	}
	wants := p.wants()
	p.issuer = cmp.Or(p.issuer, wants.Issuer)
	u, err := url.Parse(p.issuer)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return hint.New(errors.New("--issuer-url: want the https URL of the provider"), "take the one in its document /.well-known/openid-configuration, letter by letter")
	case !wants.Issues(p.issuer):
		return hint.New(fmt.Errorf("--issuer-url: %s has no issuer of that form", idp.Provider(p.provider).Title()), "it is like "+wants.Example+": take the one in its document /.well-known/openid-configuration, letter by letter")
	case p.client == "":
		return hint.New(errors.New("--client-id: required with --person"), "make a public client for kubectl at the provider, with PKCE and the redirect URL http://localhost:8000: podpass trust idp says how")
	case !slices.Contains(flows, p.flow):
		return hint.New(fmt.Errorf("unknown flow %q", p.flow), "use "+strings.Join(flows, " or "))
	case p.device && p.flow == "device":
		return hint.New(errors.New("--device: the one user signs in by that flow already"), "leave out --device, or --flow")
	case p.device && wants.DeviceClient:
		return hint.New(fmt.Errorf("--device: %s wants a client of its own for that flow, with another ID", idp.Provider(p.provider).Title()), "write another kubeconfig with that client and --flow device, and add its ID to the API server's audiences")
	case wants.Secret && p.secretFile == "":
		return hint.New(errors.New("--client-secret-file: the provider wants back the secret that it gave to the client"), "put it into a file, or give it on standard input")
	case !wants.Secret && p.secretFile != "":
		return hint.New(errors.New("--client-secret-file: a client for people is public there, and has none"), "make a client without a secret, with PKCE")
	}
	for _, s := range append(p.scopes, p.client) {
		if !validName(s) {
			return fmt.Errorf("%q is neither a scope nor a client ID", s)
		}
	}
	return p.readSecret(stdin)
}

// maxSecret bounds what is read: secrets of clients have a few dozen characters.
const maxSecret = 4 << 10

func (p *person) readSecret(stdin io.Reader) error {
	if p.secretFile == "" {
		return nil
	}
	raw, err := manifest.ReadFile(stdin, p.secretFile, maxSecret)
	if err != nil {
		return fmt.Errorf("--client-secret-file: %w", err)
	}
	if p.secret = strings.TrimSpace(string(raw)); !validName(p.secret) {
		return errors.New("--client-secret-file: want one secret in it, of printable characters")
	}
	return nil
}

// exec is what signs a person in by a flow.
func (p *person) exec(flow string) *clientcmdapi.ExecConfig {
	return &clientcmdapi.ExecConfig{
		APIVersion: apiVersion, Command: "kubectl", Args: p.args(flow),
		InteractiveMode: clientcmdapi.IfAvailableExecInteractiveMode,
		InstallHint:     "kubelogin signs you in to this cluster: kubectl krew install oidc-login",
	}
}

func (p *person) args(flow string) []string {
	wants := p.wants()
	args := []string{"oidc-login", "get-token", "--oidc-issuer-url=" + p.issuer, "--oidc-client-id=" + p.client}
	if p.secret != "" {
		args = append(args, "--oidc-client-secret="+p.secret)
	}
	asked := []string{"openid"} // kubelogin asks for it by itself
	for _, s := range slices.Concat(wants.Scopes, p.scopes) {
		if !slices.Contains(asked, s) {
			asked, args = append(asked, s), append(args, "--oidc-extra-scope="+s)
		}
	}
	if flow == "device" {
		args = append(args, "--grant-type=device-code")
	} else {
		// A public client has no password: the code is bound to who asked for it instead.
		args = append(args, "--oidc-pkce-method=S256", "--grant-type=authcode")
		for _, parameter := range wants.Parameters {
			args = append(args, "--oidc-auth-request-extra-params="+parameter)
		}
	}
	if p.caFile != "" {
		args = append(args, "--certificate-authority="+p.caFile)
	}
	return args
}
