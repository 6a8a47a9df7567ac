package kubeconfig

import (
	"errors"
	"io"
	"path/filepath"
	"strings"

	clientauthenticationv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
)

// apiVersion of the credentials that plugins print.
var apiVersion = clientauthenticationv1.SchemeGroupVersion.String()

// plugins are what gets the tokens, by the names of users.
func (o *options) plugins(name string, at target, stdin io.Reader) (map[string]*clientcmdapi.ExecConfig, error) {
	if o.person.is {
		if err := o.personal(at, stdin); err != nil {
			return nil, err
		}
		users := map[string]*clientcmdapi.ExecConfig{name: o.person.exec(o.person.flow)}
		if o.person.device {
			users[name+"-device"] = o.person.exec("device")
		}
		return users, nil
	}
	if err := o.mechanical(at); err != nil {
		return nil, err
	}
	return map[string]*clientcmdapi.ExecConfig{name: {
		APIVersion: apiVersion, Command: "podpass", Args: o.machine.Args(),
		InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
		// By it podpass refuses to give the token to a client that would not check who gets it.
		ProvideClusterInfo: true,
		InstallHint:        "podpass gets the token for this cluster, and has to be on the PATH: https://github.com/podpass-io/podpass",
	}}, nil
}

// personal checks the flags for a person.
func (o *options) personal(at target, stdin io.Reader) error {
	m := &o.machine
	if m.GitHub || m.Broker || m.TokenEnv != "" || m.TokenFile != "" || o.account != "" || m.Source != "" || m.Audience != "" || o.cluster.SettingsFile != "" && !at.installed {
		return errors.New("--person excludes the flags for machines: --github, --token-env, --token-file, --broker, --service-account, --source, --settings and --audience")
	}
	if err := o.person.check(stdin); err != nil {
		return err
	}
	if o.person.secret != "" && o.output == "" && !o.merge {
		return hint.New(errors.New("the client's secret is not printed"), "write a file by --output, or --merge")
	}
	return nil
}

// mechanical checks the flags for a machine, and makes paths complete: kubectl runs the
// plugin in whatever directory it is started in.
func (o *options) mechanical(at target) error {
	if o.person.given() {
		return hint.New(errors.New("--provider, --issuer-url, --client-id, --client-secret-file, --scope, --flow, --device and --issuer-certificate-authority are for people"), "set --person")
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
