package issuer_test

import (
	"crypto/ed25519"
	"errors"
	"net/http"
	"net/netip"
	neturl "net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/issuer"
)

// told is a finding on one line: severity, code, place, message, expected, seen, fix and
// command.
func told(f finding.Finding) string {
	line := strings.Join([]string{string(f.Severity) + " " + f.Code, f.Where, f.Message, f.Expected, f.Seen, f.Fix}, " | ")
	if f.Command != "" {
		line += " | " + f.Command
	}
	return line
}

// TestVerifySays: a fault is told with where, both sides, and the step that mends it.
func TestVerifySays(t *testing.T) {
	type published = issuer.Published
	const (
		document  = url + "/.well-known/openid-configuration"
		jwks      = url + "/openid/v1/jwks"
		unread    = "error WI111 | " + document + " | the discovery document cannot be read |  | "
		command   = " | curl -sSi " + document
		publishIt = "publish the two documents where clouds reach them, with podpass issuer publish, and start the API servers with that --service-account-issuer; Google Cloud alone takes uploaded keys instead"
		public    = "let everybody read it: a public object; or, where the API server itself answers, bind ClusterRole system:service-account-issuer-discovery to system:unauthenticated"
		misses    = "warning WI113 | " + document + " | the discovery document misses members that OpenID Connect Discovery demands | response_types_supported, subject_types_supported, id_token_signing_alg_values_supported |  | publish the document that podpass issuer build gives"
	)
	for name, test := range map[string]struct {
		change  func(*published)
		cluster issuer.Cluster
		want    string
	}{
		"no https":              {change: func(p *published) { p.Issuer = "http://x" }, want: "error WI110 | issuer http://x | the issuer's URL is not https | https://HOST[/PATH] | http://x | start each API server with a --service-account-issuer that clouds can reach; keep the former one as a second, so that its tokens stay good"},
		"in the cluster":        {change: func(p *published) { p.Issuer = "https://kubernetes.default.svc" }, want: "error WI110 | issuer https://kubernetes.default.svc | the issuer only exists in the cluster |  | kubernetes.default.svc | " + publishIt},
		"on one machine":        {change: func(p *published) { p.Issuer = "https://localhost:6443" }, want: "error WI110 | issuer https://localhost:6443 | the issuer only exists in the cluster |  | localhost | " + publishIt},
		"a private address":     {change: func(p *published) { *p = at(*p, "https://10.0.0.1") }, want: "error WI110 | issuer https://10.0.0.1 | the issuer has an address that no cloud reaches |  | 10.0.0.1 | " + publishIt},
		"split DNS":             {change: func(p *published) { p.Discovery.Remote = netip.MustParseAddr("192.168.1.2") }, want: "warning WI110 | issuer " + url + " | the issuer's name leads to a private address from here |  | 192.168.1.2 | run this from outside of your network; the clouds must reach a public address of that name"},
		"split DNS, on purpose": {change: func(p *published) { p.Discovery.Remote = netip.MustParseAddr("192.168.1.2") }, cluster: issuer.Cluster{Private: true}},
		"a private address from here": {change: func(p *published) {
			*p = at(*p, "https://10.0.0.1")
			p.Discovery.Remote = netip.MustParseAddr("10.0.0.1")
		}, want: "error WI110 | issuer https://10.0.0.1 | the issuer has an address that no cloud reaches |  | 10.0.0.1 | " + publishIt},
		"no login":              {change: func(p *published) { p.Discovery.Err = &issuer.StatusError{Status: 401} }, want: unread + "status 401 Unauthorized | " + public + command},
		"forbidden":             {change: func(p *published) { p.Discovery.Err = &issuer.StatusError{Status: 403} }, want: unread + "status 403 Forbidden | " + public + command},
		"not there":             {change: func(p *published) { p.Discovery.Err = &issuer.StatusError{Status: 404} }, want: unread + "status 404 Not Found | publish it there with podpass issuer publish, or correct the path" + command},
		"elsewhere":             {change: func(p *published) { p.Discovery.Err = &issuer.StatusError{Status: 301, Location: "https://x"} }, want: unread + "status 301 Moved Permanently to https://x | answer there without a redirect: verifiers need not follow one" + command},
		"what is none":          {change: func(p *published) { p.Discovery.Err = errors.New("not the JSON of a discovery document") }, want: unread + "not the JSON of a discovery document | publish it again with podpass issuer publish" + command},
		"a fault of the server": {change: func(p *published) { p.Discovery.Status, p.Discovery.Err = 503, &issuer.StatusError{Status: 503} }, want: unread + "status 503 Service Unavailable | make the address reachable from the internet: DNS, firewall, the load balancer before it" + command},
		"no answer":             {change: func(p *published) { p.Discovery.Status, p.Discovery.Err = 0, errors.New("no such host") }, want: unread + "no such host | make the address reachable from the internet: DNS, firewall, the load balancer before it" + command},
		"a private CA":          {change: func(p *published) { p.JWKS.Err = untrusted() }, want: "error WI112 | " + jwks + " | the certificate is not one that an outsider trusts |  | x509: certificate signed by unknown authority | serve a certificate of a public CA, with its whole chain, for that name; Google Cloud alone takes uploaded keys instead | curl -sSi " + jwks},
		"no keys":               {change: func(p *published) { p.JWKS.Err = &issuer.StatusError{Status: 404} }, want: "error WI115 | " + jwks + " | the JWKS cannot be read |  | status 404 Not Found | publish it there with podpass issuer publish, or correct the path | curl -sSi " + jwks},
		"another issuer":        {change: func(p *published) { p.Document.Issuer = "https://x" }, want: "error WI113 | " + document + " | the discovery document names another issuer; they must be equal to the letter | " + url + " | https://x | publish the document of this issuer, or register the other one with the clouds"},
		"no JSON":               {change: func(p *published) { p.Discovery.ContentType = "text/html" }, want: "warning WI113 | " + document + " | the discovery document is not served as JSON | application/json | text/html | set the object's Content-Type, as podpass issuer publish does"},
		"JSON in UTF-8":         {change: func(p *published) { p.Discovery.ContentType = "application/json; charset=utf-8" }},
		"no algorithms":         {change: func(p *published) { p.Document.Algorithms = nil }, want: misses},
		"no responses":          {change: func(p *published) { p.Document.ResponseTypes = nil }, want: misses},
		"no subjects":           {change: func(p *published) { p.Document.SubjectTypes = nil }, want: misses},
		"tokens of another":     {cluster: issuer.Cluster{Token: token("https://x", rsaID, "RS256")}, want: "error WI114 | issuer " + url + " | the cluster's tokens have another issuer | " + url + " | https://x | put --service-account-issuer=" + url + " first on each API server; or look at https://x, and register that with the clouds"},
		"tokens with a slash":   {cluster: issuer.Cluster{Token: token(url+"/", rsaID, "RS256")}, want: "error WI114 | issuer " + url + " | the cluster's tokens have another issuer: only the slash at the end differs, and it counts | " + url + " | " + url + "/ | put --service-account-issuer=" + url + " first on each API server; or look at " + url + "/, and register that with the clouds"},
		"the signer's key":      {cluster: issuer.Cluster{Token: token(url, ecID, "ES256")}, want: "error WI116 | " + jwks + " | the key that signs now is not published: every exchange fails, or will when the clouds' caches end | " + ecID + " | " + rsaID + " | publish the API server's keys with podpass issuer publish | kubectl get --raw /openid/v1/jwks"},
		"a key without a name":  {change: func(p *published) { p.Keys[0].ID = "" }, want: "error WI119 | " + jwks + " | a key has no kid: verifiers cannot choose it |  | RS256 2048 bits kid  | publish it under the kid of the tokens"},
		"no caching header":     {change: func(p *published) { p.Discovery.CacheControl = "" }, want: "info WI118 | " + document + " | no caching header: each cache on the way chooses for itself | public, max-age=3600 |  | set the object's Cache-Control, as podpass issuer publish does"},
		"a day in caches":       {change: func(p *published) { p.JWKS.CacheControl = "max-age=86400" }},
		"a second more":         {change: func(p *published) { p.JWKS.CacheControl = "max-age=86401" }, want: "warning WI118 | " + jwks + " | caches may keep it so long that a new key is late, and a lost one stays | at most 24h0m0s | 24h0m1s | shorten the object's Cache-Control a full life before the next rotation"},
		"a short key":           {change: func(p *published) { p.Keys = keysOf(t, "rsa-1024.pub") }, want: "error WI117 | kid " + shortRSAID + " | the RSA key is too short for the clouds | 2048 bits or more | 1024 bits | sign with a longer key"},
		"ES384":                 {change: func(p *published) { p.Keys = keysOf(t, "ec-384.pub") }, want: "warning WI117 | kid " + ec384ID + " | tokens are signed by ES384, not taken by Google Cloud, Azure | RS256 | ES384 | if you use these clouds, sign with an RSA key: all of them take RS256"},
		"PS256":                 {cluster: issuer.Cluster{Token: token(url, rsaID, "PS256")}, want: "error WI117 | kid " + rsaID + " | tokens are signed by PS256, no cloud takes it | RS256 | PS256 | if you use these clouds, sign with an RSA key: all of them take RS256"},
	} {
		p := sound(t, "rsa.pub")
		if test.change != nil {
			test.change(&p)
		}
		var got []string
		for _, f := range issuer.Verify(p, test.cluster) {
			got = append(got, told(f))
		}
		if diff := cmp.Diff(test.want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestFetchTells: each answer says whose it is and who gave it, where that is known.
func TestFetchTells(t *testing.T) {
	keys, err := keysOf(t, "ec.pub").JWKS()
	if err != nil {
		t.Fatal(err)
	}
	server := site(t, map[string]string{discovery: document, "/openid/v1/jwks": string(keys)})
	p := issuer.Fetch(t.Context(), server.Client(), server.URL+"/")
	if p.Discovery.URL != server.URL+discovery || p.JWKS.URL != server.URL+"/openid/v1/jwks" || p.JWKS.Status != 200 || p.JWKS.CacheControl != "max-age=60" || p.JWKS.ContentType != "application/json" {
		t.Errorf("%+v", p)
	}
	through := server.Client().Transport.(*http.Transport).Clone()
	through.Proxy = func(*http.Request) (*neturl.URL, error) { return nil, nil }
	for name, transport := range map[string]http.RoundTripper{
		"by a proxy, perhaps": through, "by what is not known": roundTripper(server.Client().Transport.RoundTrip),
	} {
		if p := issuer.Fetch(t.Context(), &http.Client{Transport: transport}, server.URL); p.Err() != nil || p.JWKS.Remote.IsValid() {
			t.Errorf("%s: %v, from %v", name, p.Err(), p.JWKS.Remote)
		}
	}
	for _, address := range []string{"https:///jwks", "https://%zz", "ftp://x/y"} {
		server := site(t, map[string]string{discovery: `{"jwks_uri":"` + address + `"}`})
		if p := issuer.Fetch(t.Context(), server.Client(), server.URL); p.Err() == nil || p.Err().Error() != `JWKS: "`+address+`" is no https URL` || p.JWKS.URL != address {
			t.Errorf("%s: %+v", address, p.JWKS)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestJWKSRefuses: what verifies no token of an API server is not published.
func TestJWKSRefuses(t *testing.T) {
	for name, public := range map[string]any{"an Edwards key": ed25519.PublicKey(make([]byte, 32)), "no key": 7} {
		if text, err := (issuer.Keys{{ID: "one", Public: public}}).JWKS(); err == nil || !strings.HasPrefix(err.Error(), "kid one: ") {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
	unheard := keysOf(t, "ec.pub")
	unheard[0].Algorithm = "ES999"
	if text, err := unheard.JWKS(); err == nil || text != nil || !strings.HasPrefix(err.Error(), "kid "+unheard[0].ID+": ") {
		t.Errorf("an algorithm that nobody has heard of: %s, %v", text, err)
	}
	for name, test := range map[string]struct{ content, want string }{
		"no certificate":   {"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", `PEM block "CERTIFICATE" is not a certificate`},
		"no RSA key":       {"-----BEGIN RSA PUBLIC KEY-----\nAA==\n-----END RSA PUBLIC KEY-----\n", `PEM block "RSA PUBLIC KEY" is not an RSA public key`},
		"another after it": {read(t, "rsa.pub") + "-----BEGIN DH PARAMETERS-----\nAA==\n-----END DH PARAMETERS-----\n", `PEM block "DH PARAMETERS" is neither a public key nor a certificate`},
		"a list":           {`{"keys":[7]}`, "keys[0]: not an object"},
	} {
		if keys, err := issuer.ParsePublicKeys([]byte(test.content)); err == nil || err.Error() != test.want {
			t.Errorf("%s: %d keys, %v, want %q", name, len(keys), err, test.want)
		}
	}
	if k, ok := (issuer.Keys{}).Find("one"); ok || k.Public != nil {
		t.Errorf("found %v of none", k)
	}
}
