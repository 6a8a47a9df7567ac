package kubetoken

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientauthenticationv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	clientauthenticationv1beta1 "k8s.io/client-go/pkg/apis/clientauthentication/v1beta1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
)

// ExecInfo is the variable by which a client tells its plugin what it wants:
// https://kubernetes.io/docs/reference/config-api/client-authentication.v1/
const ExecInfo = "KUBERNETES_EXEC_INFO"

const kind = "ExecCredential"

// Version is the apiVersion in which a client wants the credential, from its
// KUBERNETES_EXEC_INFO; v1 where a person asks. Clients that would send the token to
// whoever answers are refused, as far as they say so.
func Version(info string) (string, error) {
	if info == "" {
		return clientauthenticationv1.SchemeGroupVersion.String(), nil
	}
	var asked clientauthenticationv1.ExecCredential
	// What could not be read is not quoted: it is the client's, and may hold anything.
	if json.Unmarshal([]byte(info), &asked) != nil || asked.Kind != kind {
		return "", hint.New(errors.New("the variable "+ExecInfo+" holds no ExecCredential"), "leave it to kubectl to set it")
	}
	switch asked.APIVersion {
	case clientauthenticationv1.SchemeGroupVersion.String(), clientauthenticationv1beta1.SchemeGroupVersion.String():
	default:
		return "", hint.New(fmt.Errorf("the client wants a credential of apiVersion %q, and podpass speaks v1 and v1beta1", asked.APIVersion),
			"set apiVersion: "+clientauthenticationv1.SchemeGroupVersion.String()+" at exec in the kubeconfig")
	}
	return asked.APIVersion, safe(asked.Spec.Cluster)
}

// safe says why the token is not to be given to a client: it would reach others than the
// API server. c is nil where the kubeconfig has no provideClusterInfo.
func safe(c *clientauthenticationv1.Cluster) error {
	if c == nil {
		return nil
	}
	u, err := url.Parse(c.Server)
	switch {
	case err != nil || u.Scheme != "https" && (u.Scheme != "http" || !net.ParseIP(u.Hostname()).IsLoopback()):
		return hint.New(errors.New("the kubeconfig's server is no https URL: the token could be read on the way"), "set server to https://host[:port]")
	case c.InsecureSkipTLSVerify:
		return hint.New(fmt.Errorf("the kubeconfig has insecure-skip-tls-verify for %s: the token would be sent to whoever answers", u.Host),
			"take it out, and set certificate-authority-data to the API server's CA")
	}
	return nil
}

// Credential is the token as a client reads it at a time, in the version that it wants.
// Both versions have the same fields. Its expirationTimestamp comes before the token's own
// end: it is when the client asks again.
func (t Token) Credential(version string, now time.Time) ([]byte, error) {
	until := metav1.NewTime(t.askAgain(now))
	return json.MarshalIndent(clientauthenticationv1.ExecCredential{
		TypeMeta: metav1.TypeMeta{APIVersion: version, Kind: kind},
		Status:   &clientauthenticationv1.ExecCredentialStatus{Token: t.Secret.Reveal(), ExpirationTimestamp: &until},
	}, "", "  ")
}
