package kubetrust

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	authenticationcel "k8s.io/apiserver/pkg/authentication/cel"

	"github.com/podpass-io/podpass/federation/finding"
)

// Document is an AuthenticationConfiguration that an API server takes.
type Document struct {
	configuration *apiserver.AuthenticationConfiguration
	compiler      authenticationcel.Compiler
}

// Issuers are the URLs of the configuration, in order.
func (d *Document) Issuers() []string {
	var list []string
	for _, a := range d.configuration.JWT {
		list = append(list, a.Issuer.URL)
	}
	return list
}

// Place is where an API server finds the keys of an issuer.
type Place struct {
	// Issuer is its URL. DiscoveryURL is that of the discovery document, where it is not
	// below the issuer's.
	Issuer, DiscoveryURL string
	// CertificateAuthority, in PEM, is all that the server trusts there; empty: the system's
	// roots are.
	CertificateAuthority string
}

// Place of the issuer whose tokens have iss; false: the configuration has none.
func (d *Document) Place(iss string) (Place, bool) {
	n := d.of(iss)
	if n < 0 {
		return Place{}, false
	}
	i := d.configuration.JWT[n].Issuer
	return Place{i.URL, i.DiscoveryURL, i.CertificateAuthority}, true
}

// of finds the authenticator of an issuer; -1: there is none.
func (d *Document) of(iss string) int {
	if iss == "accounts.google.com" { // as the API server reads it
		iss = googleIssuer
	}
	return slices.IndexFunc(d.configuration.JWT, func(a apiserver.JWTAuthenticator) bool { return a.Issuer.URL == iss })
}

// Parse reads a configuration as the API server does: strictly, in each version that it
// knows, and validated. With an error among the findings the server would not start with
// it, and of a change keep what it had; there is no Document then.
func Parse(raw []byte, o Options) (*Document, []finding.Finding) { return load(raw, o) }

func load(raw []byte, o Options) (*Document, []finding.Finding) {
	const where = "configuration"
	malformed := func(message string) (*Document, []finding.Finding) {
		return nil, []finding.Finding{finding.Fix(finding.Bad(CodeMalformed, where, message), "correct it; the API server would not start with it, and not take the change")}
	}
	if len(raw) == 0 {
		return malformed("is empty")
	}
	scheme := runtime.NewScheme()
	install.Install(scheme)
	object, err := runtime.Decode(serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder(), raw)
	if err != nil {
		return malformed("cannot be read: " + finding.Clip(err.Error()))
	}
	configuration, ok := object.(*apiserver.AuthenticationConfiguration)
	if !ok {
		return malformed(fmt.Sprintf("is not an AuthenticationConfiguration but %T", object))
	}
	d := &Document{configuration, authenticationcel.NewDefaultCompiler()}
	var found []finding.Finding
	for _, e := range validation.ValidateAuthenticationConfiguration(d.compiler, configuration, o.OwnIssuers) {
		found = append(found, finding.Fix(finding.Bad(CodeInvalid, where+" "+e.Field, finding.Clip(e.ErrorBody())), "correct it; the API server would not start with it, and not take the change"))
	}
	if found != nil {
		return nil, found
	}
	return d, nil
}
