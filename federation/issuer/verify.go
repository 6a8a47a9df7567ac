package issuer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
)

// Cluster is the side that signs, as far as it is known.
type Cluster struct {
	// Token are the claims of a token that the cluster has just minted; nil: there is none,
	// and only what is published is looked at.
	Token *federation.Claims
	// Keys are those by which the API server itself verifies (its own /openid/v1/jwks); nil:
	// not known.
	Keys Keys
	// Private: whoever verifies is on this network too, so that a private address and a
	// private CA are no faults.
	Private bool
}

// Verify holds what is published against what the cluster signs with. An empty list means
// that a cloud can verify the cluster's tokens. Where a fault makes later checks pointless
// they are left out, so that what is listed is what has to be mended.
func Verify(p Published, c Cluster) []finding.Finding {
	v := &verifier{p: p, c: c}
	if v.url() && v.discovery() {
		v.document()
		if v.jwks() {
			v.signingKey()
			v.keySet()
			v.algorithms()
			v.caching()
		}
	}
	v.tokenIssuer()
	return v.list
}

type verifier struct {
	p    Published
	c    Cluster
	list []finding.Finding
}

func (v *verifier) add(severity finding.Severity, code, message string, more finding.Finding) {
	more.Code, more.Severity, more.Message = code, severity, message
	if more.Where == "" {
		more.Where = "issuer " + v.p.Issuer
	}
	v.list = append(v.list, more)
}

// clusterNames end in what only a cluster's DNS resolves, or only one machine.
var clusterNames = []string{".svc", ".cluster.local", ".local", ".internal", "localhost"}

// url reports whether it is worth asking.
func (v *verifier) url() bool {
	if err := CheckURL(v.p.Issuer); err != nil {
		v.add(finding.Error, CodeURL, "the issuer's URL is "+err.Error(), finding.Finding{
			Expected: "https://HOST[/PATH]", Seen: v.p.Issuer,
			Fix: "start each API server with a --service-account-issuer that clouds can reach; keep the former one as a second, so that its tokens stay good",
		})
		return false
	}
	u, err := url.Parse(v.p.Issuer)
	if err != nil || v.c.Private {
		return err == nil
	}
	host := u.Hostname()
	if a, err := netip.ParseAddr(host); err == nil && !public(a) {
		v.add(finding.Error, CodeURL, "the issuer has an address that no cloud reaches", finding.Finding{Seen: host, Fix: unreachable})
		return true
	}
	for _, suffix := range clusterNames {
		if host == strings.TrimPrefix(suffix, ".") || strings.HasSuffix(host, suffix) {
			v.add(finding.Error, CodeURL, "the issuer only exists in the cluster", finding.Finding{Seen: host, Fix: unreachable})
			return false
		}
	}
	return true
}

const unreachable = "publish the two documents where clouds reach them, with podpass issuer publish, and start the API servers with that --service-account-issuer; Google Cloud alone takes uploaded keys instead"

func public(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !carrierGrade.Contains(a)
}

// carrierGrade is shared address space (RFC 6598), which networks of clusters use.
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

func (v *verifier) discovery() bool {
	r := v.p.Discovery
	if r.Err != nil {
		v.unfetched(CodeDiscovery, "discovery document", r)
		return false
	}
	if r.Remote.IsValid() && !public(r.Remote) && !v.c.Private && len(v.list) == 0 {
		v.add(finding.Warning, CodeURL, "the issuer's name leads to a private address from here", finding.Finding{
			Seen: r.Remote.String(), Fix: "run this from outside of your network; the clouds must reach a public address of that name",
		})
	}
	return true
}

// unfetched tells why r is not there: of TLS by its own code, since it has another fix.
func (v *verifier) unfetched(code, what string, r Response) {
	f := finding.Finding{Where: r.URL, Seen: r.Err.Error(), Command: "curl -sSi " + r.URL}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](r.Err); ok {
		f.Seen = e.Err.Error()
		f.Fix = "serve a certificate of a public CA, with its whole chain, for that name; Google Cloud alone takes uploaded keys instead"
		v.add(finding.Error, CodeTLS, "the certificate is not one that an outsider trusts", f)
		return
	}
	status, isStatus := errors.AsType[*StatusError](r.Err)
	switch {
	case isStatus && (status.Status == 401 || status.Status == 403):
		f.Fix = "let everybody read it: a public object; or, where the API server itself answers, bind ClusterRole system:service-account-issuer-discovery to system:unauthenticated"
	case isStatus && status.Status == 404:
		f.Fix = "publish it there with podpass issuer publish, or correct the path"
	case isStatus && status.Location != "":
		f.Fix = "answer there without a redirect: verifiers need not follow one"
	case r.Status == 200:
		f.Fix = "publish it again with podpass issuer publish"
	default:
		f.Fix = "make the address reachable from the internet: DNS, firewall, the load balancer before it"
	}
	v.add(finding.Error, code, "the "+what+" cannot be read", f)
}

func (v *verifier) document() {
	d := v.p.Document
	where := v.p.Discovery.URL
	if d.Issuer != v.p.Issuer {
		v.add(finding.Error, CodeDocument, "the discovery document names another issuer; they must be equal to the letter", finding.Finding{
			Where: where, Expected: v.p.Issuer, Seen: d.Issuer,
			Fix: "publish the document of this issuer, or register the other one with the clouds",
		})
	}
	if t := v.p.Discovery.ContentType; !strings.HasPrefix(t, "application/json") {
		v.add(finding.Warning, CodeDocument, "the discovery document is not served as JSON", finding.Finding{
			Where: where, Expected: "application/json", Seen: t, Fix: "set the object's Content-Type, as podpass issuer publish does",
		})
	}
	if len(d.Algorithms) == 0 || len(d.ResponseTypes) == 0 || len(d.SubjectTypes) == 0 {
		v.add(finding.Warning, CodeDocument, "the discovery document misses members that OpenID Connect Discovery demands", finding.Finding{
			Where: where, Expected: "response_types_supported, subject_types_supported, id_token_signing_alg_values_supported",
			Fix: "publish the document that podpass issuer build gives",
		})
	}
}

func (v *verifier) jwks() bool {
	r := v.p.JWKS
	switch {
	case errors.Is(r.Err, ErrPrivateKey):
		v.add(finding.Error, CodeKeySet, "a private key is published: whoever read it can mint tokens of every ServiceAccount", finding.Finding{
			Where: r.URL, Seen: r.Err.Error(),
			Fix: "take it down now; make a new key and rotate to it without waiting for caches: each identity of the cluster is open until then",
		})
		return false
	case r.Err != nil:
		v.unfetched(CodeJWKS, "JWKS", r)
		return false
	}
	return true
}

func (v *verifier) tokenIssuer() {
	if t := v.c.Token; t != nil && t.Issuer != v.p.Issuer {
		message := "the cluster's tokens have another issuer"
		if strings.TrimSuffix(t.Issuer, "/") == strings.TrimSuffix(v.p.Issuer, "/") {
			message += ": only the slash at the end differs, and it counts"
		}
		v.add(finding.Error, CodeTokenIssuer, message, finding.Finding{
			Expected: v.p.Issuer, Seen: t.Issuer,
			Fix: fmt.Sprintf("put --service-account-issuer=%s first on each API server; or look at %s, and register that with the clouds", v.p.Issuer, t.Issuer),
		})
	}
}
