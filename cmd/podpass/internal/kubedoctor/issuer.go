package kubedoctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// issuer reads what the token's issuer publishes, as the API server does: where the
// configuration says, and by whose certificate.
func (r *run) issuer(ctx context.Context) ([]finding.Finding, error) {
	place := kubetrust.Place{Issuer: r.claims.Issuer, CertificateAuthority: string(r.IssuerCA)}
	if r.document != nil {
		place, _ = r.document.Place(r.claims.Issuer)
	}
	where := "issuer " + place.Issuer
	if !secure(place.Issuer) {
		f := finding.Sides(finding.Bad(codeIssuerURL, where, "is no https URL, and an API server takes no other"), "https://HOST[/PATH]", place.Issuer)
		return []finding.Finding{finding.Fix(f, "have the provider answer by https, and name itself so in its tokens")}, nil
	}
	client, err := trusting(place.CertificateAuthority)
	if err != nil {
		return nil, err
	}
	return r.published(ctx, client, place), ctx.Err()
}

func secure(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// published is what is wrong with what an issuer shows; its keys are kept.
func (r *run) published(ctx context.Context, client *http.Client, place kubetrust.Place) []finding.Finding {
	discovery := place.DiscoveryURL
	if discovery == "" {
		discovery = strings.TrimSuffix(place.Issuer, "/") + issuer.DiscoveryPath
	}
	p := issuer.FetchAt(ctx, client, place.Issuer, discovery)
	if p.Discovery.Err != nil {
		return []finding.Finding{unfetched(codeDiscovery, "discovery document", p.Discovery, place)}
	}
	if p.Document.Issuer != place.Issuer {
		f := finding.Sides(finding.Bad(codeDocument, p.Discovery.URL, "names another issuer, and the API server compares them to the letter"), place.Issuer, p.Document.Issuer)
		return []finding.Finding{finding.Fix(f, "write the issuer's url as its own document has it; if the document is served for another name, set the provider's host name")}
	}
	// Keys that clouds do not take may be good for an API server: the body is what counts.
	if p.JWKS.Err != nil && len(p.JWKS.Body) == 0 {
		return []finding.Finding{unfetched(codeKeys, "keys", p.JWKS, place)}
	}
	r.jwks = p.JWKS.Body
	own := func(k issuer.Key) bool { return k.ID == r.claims.KeyID }
	if r.document == nil && p.JWKS.Err == nil && r.claims.KeyID != "" && !slices.ContainsFunc(p.Keys, own) {
		f := finding.Sides(finding.Bad(codeNotPublished, p.JWKS.URL, "does not have the token's key"), "kid "+r.claims.KeyID, "kid "+kids(p.Keys))
		return []finding.Finding{finding.Fix(f, "get a new token: the provider has changed its keys, or the token is of another provider of that name")}
	}
	return nil
}

func kids(keys issuer.Keys) string {
	var list []string
	for _, k := range keys {
		list = append(list, k.ID)
	}
	return strings.Join(list, ", ")
}

// trusting is a client that trusts as an API server does: the CA alone, or without one the
// system's roots.
func trusting(ca string) (*http.Client, error) {
	client, err := endpoint.NewClient(nil)
	if err != nil || ca == "" {
		return client, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(ca)) {
		return nil, errors.New("the certificate authority has no certificate in PEM")
	}
	transport, ok := client.Transport.(*http.Transport)
	if !ok {
		return nil, fmt.Errorf("a client of %T", client.Transport)
	}
	transport.TLSClientConfig.RootCAs = pool
	return client, nil
}

// unfetched tells why the API server cannot have something of the issuer. What fails on the
// way is a warning: the API server may have another one.
func unfetched(code, what string, r issuer.Response, place kubetrust.Place) finding.Finding {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](r.Err); ok {
		trusted, next := "the system's roots", "write the CA of the issuer's certificate to certificateAuthority"
		if place.CertificateAuthority != "" {
			trusted, next = "the certificateAuthority that is given", "give the CA that the issuer's certificate is of, and no other; without certificateAuthority the system's roots are trusted"
		}
		return finding.Fix(finding.Sides(finding.Bad(codeCertificate, r.URL, "has a certificate that the API server does not trust"), trusted, e.Err.Error()), "%s", next)
	}
	f := finding.Sides(finding.Bad(code, r.URL, "the "+what+" cannot be read"), "", r.Err.Error())
	f.Command = "curl -sSi " + r.URL
	if e, ok := errors.AsType[*issuer.StatusError](r.Err); ok && e.Location != "" {
		f.Severity, f.Message = finding.Warning, "the "+what+" is behind a redirect, which an API server follows and other verifiers need not"
		return finding.Fix(f, "answer there without a redirect")
	}
	if r.Status == 0 {
		f.Severity, f.Message = finding.Warning, "the "+what+" cannot be read from here; the API server may have another way"
		return finding.Fix(f, "look from the API server's machine: DNS, proxy, firewall")
	}
	return finding.Fix(f, "correct the issuer's URL, or have the provider publish it there")
}
