package issuer_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/issuer"
)

const url = "https://issuer.example.com/prod"

// sound is a published issuer without a fault, of the keys of the files.
func sound(t testing.TB, files ...string) issuer.Published {
	t.Helper()
	keys := keysOf(t, files...)
	answer := func(path string) issuer.Response {
		return issuer.Response{
			URL: url + path, Status: 200, ContentType: "application/json", CacheControl: "public, max-age=3600",
			Remote: netip.MustParseAddr("93.184.215.14"),
		}
	}
	return issuer.Published{
		Issuer: url, Discovery: answer("/.well-known/openid-configuration"), JWKS: answer("/openid/v1/jwks"), Keys: keys,
		Document: issuer.Document{
			Issuer: url, JWKSURI: url + "/openid/v1/jwks", ResponseTypes: []string{"id_token"}, SubjectTypes: []string{"public"},
			Algorithms: []string{"RS256"},
		},
	}
}

func token(issuerURL, kid, algorithm string) *federation.Claims {
	return &federation.Claims{Issuer: issuerURL, KeyID: kid, Algorithm: algorithm}
}

// TestVerify: each fault is found by its code and severity, and nothing else with it.
func TestVerify(t *testing.T) {
	type published = issuer.Published
	for name, test := range map[string]struct {
		files   string
		change  func(*published)
		cluster issuer.Cluster
		want    string
	}{
		"sound":                  {cluster: issuer.Cluster{Token: token(url, rsaID, "RS256")}},
		"nothing known":          {},
		"sound, with its keys":   {cluster: issuer.Cluster{Token: token(url, rsaID, "RS256"), Keys: keysOf(t, "rsa.pub")}},
		"http":                   {change: func(p *published) { p.Issuer = "http://issuer.example.com" }, want: "error WI110 http://issuer.example.com"},
		"query":                  {change: func(p *published) { p.Issuer = url + "?a=b" }, want: "error WI110 " + url + "?a=b"},
		"in the cluster":         {change: func(p *published) { p.Issuer = "https://kubernetes.default.svc.cluster.local" }, want: "error WI110 kubernetes.default.svc.cluster.local"},
		"in the cluster, short":  {change: func(p *published) { p.Issuer = "https://kubernetes.default.svc" }, want: "error WI110 kubernetes.default.svc"},
		"private address":        {change: func(p *published) { *p = at(*p, "https://10.0.0.1:6443") }, want: "error WI110 10.0.0.1"},
		"carrier-grade address":  {change: func(p *published) { *p = at(*p, "https://100.64.0.1") }, want: "error WI110 100.64.0.1"},
		"private, on purpose":    {change: func(p *published) { *p = at(*p, "https://10.0.0.1:6443") }, cluster: issuer.Cluster{Private: true}},
		"split DNS":              {change: func(p *published) { p.Discovery.Remote = netip.MustParseAddr("192.168.1.2") }, want: "warning WI110 192.168.1.2"},
		"no answer":              {change: func(p *published) { p.Discovery.Err = errors.New("no such host") }, want: "error WI111 no such host"},
		"private CA":             {change: func(p *published) { p.Discovery.Err = untrusted() }, want: "error WI112 x509: certificate signed by unknown authority"},
		"forbidden":              {change: func(p *published) { p.Discovery.Err = &issuer.StatusError{Status: 403} }, want: "error WI111 status 403 Forbidden"},
		"other issuer":           {change: func(p *published) { p.Document.Issuer = url + "/" }, want: "error WI113 " + url + "/"},
		"not JSON":               {change: func(p *published) { p.Discovery.ContentType = "binary/octet-stream" }, want: "warning WI113 binary/octet-stream"},
		"misses members":         {change: func(p *published) { p.Document.Algorithms = nil }, want: "warning WI113 "},
		"token's issuer":         {cluster: issuer.Cluster{Token: token("https://other.example.com", rsaID, "RS256")}, want: "error WI114 https://other.example.com"},
		"token's slash":          {cluster: issuer.Cluster{Token: token(url+"/", rsaID, "RS256")}, want: "error WI114 " + url + "/"},
		"no keys":                {change: func(p *published) { p.JWKS.Err = &issuer.StatusError{Status: 404} }, want: "error WI115 status 404 Not Found"},
		"keys behind private CA": {change: func(p *published) { p.JWKS.Err = untrusted() }, want: "error WI112 x509: certificate signed by unknown authority"},
		"private key":            {change: func(p *published) { p.JWKS.Err = fmt.Errorf("keys[0]: kid %q %w", "one", issuer.ErrPrivateKey) }, want: `error WI119 keys[0]: kid "one" is a private key, which must never leave the control plane`},
		"signer is missing":      {cluster: issuer.Cluster{Token: token(url, ecID, "ES256")}, want: "error WI116 " + rsaID},
		"signer is missing, keys known": {
			cluster: issuer.Cluster{Token: token(url, ecID, "ES256"), Keys: keysOf(t, "rsa.pub", "ec.pub")}, want: "error WI116 " + rsaID,
		},
		"verifying key is missing": {
			cluster: issuer.Cluster{Token: token(url, rsaID, "RS256"), Keys: keysOf(t, "rsa.pub", "ec.pub")}, want: "warning WI116 " + rsaID,
		},
		"another key of that kid": {
			cluster: issuer.Cluster{Token: token(url, rsaID, "RS256"), Keys: renamed(t, "ec.pub", rsaID)},
			want:    "error WI116 RS256 2048 bits kid " + rsaID + "; info WI119 RS256 2048 bits kid " + rsaID,
		},
		"ES256":     {files: "ec.pub", cluster: issuer.Cluster{Token: token(url, ecID, "ES256")}, want: "warning WI117 ES256"},
		"ES384":     {files: "ec-384.pub", cluster: issuer.Cluster{Token: token(url, ec384ID, "ES384")}, want: "warning WI117 ES384"},
		"PS256":     {cluster: issuer.Cluster{Token: token(url, rsaID, "PS256")}, want: "error WI117 PS256"},
		"short RSA": {files: "rsa-1024.pub", cluster: issuer.Cluster{Token: token(url, shortRSAID, "RS256")}, want: "error WI117 1024 bits"},
		"ES256 that does not sign": {
			files: "rsa.pub ec.pub", cluster: issuer.Cluster{Token: token(url, rsaID, "RS256")},
		},
		"no caching header": {change: func(p *published) { p.JWKS.CacheControl = "" }, want: "info WI118 "},
		"a week in caches":  {change: func(p *published) { p.JWKS.CacheControl = "max-age=604800" }, want: "warning WI118 168h0m0s"},
		"foreign key": {
			files: "rsa.pub ec.pub", cluster: issuer.Cluster{Token: token(url, rsaID, "RS256"), Keys: keysOf(t, "rsa.pub")},
			want: "info WI119 ES256 256 bits kid " + ecID,
		},
		"one kid, two keys": {
			change:  func(p *published) { p.Keys = append(p.Keys, renamed(t, "ec.pub", rsaID)...) },
			cluster: issuer.Cluster{Token: token(url, "none", "RS256")},
			want:    "error WI116 " + rsaID + " " + rsaID + "; error WI119 ES256 256 bits kid " + rsaID,
		},
		"twice":          {files: "rsa.pub rsa.pub", want: "warning WI119 RS256 2048 bits kid " + rsaID},
		"no kid":         {change: func(p *published) { p.Keys[0].ID = "" }, want: "error WI119 RS256 2048 bits kid "},
		"for encryption": {change: func(p *published) { p.Keys[0].Use = "enc" }, want: "error WI119 enc"},
		"with x5c":       {change: func(p *published) { p.Keys[0].Extra = []string{"x5c"} }, want: "info WI119 x5c"},
		"101 RSA keys":   {change: func(p *published) { p.Keys = many(p.Keys[0], 101) }, want: "error WI119 101"},
		"100 RSA keys":   {change: func(p *published) { p.Keys = many(p.Keys[0], 100) }},
	} {
		if test.files == "" {
			test.files = "rsa.pub"
		}
		p := sound(t, strings.Fields(test.files)...)
		if test.change != nil {
			test.change(&p)
		}
		var got []string
		for _, f := range issuer.Verify(p, test.cluster) {
			got = append(got, fmt.Sprintf("%s %s %s", f.Severity, f.Code, f.Seen))
			if f.Where == "" || f.Message == "" || f.Fix == "" || strings.HasSuffix(f.Message, ".") || strings.HasSuffix(f.Fix, ".") {
				t.Errorf("%s: says too little: %+v", name, f)
			}
		}
		if diff := cmp.Diff(test.want, strings.Join(got, "; ")); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// at moves a sound issuer to another address.
func at(p issuer.Published, to string) issuer.Published {
	p.Issuer, p.Document.Issuer = to, to
	p.Discovery.Remote = netip.Addr{}
	return p
}

func untrusted() error {
	return &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
}

func renamed(t testing.TB, file, kid string) issuer.Keys {
	keys := keysOf(t, file)
	keys[0].ID = kid
	return keys
}

func many(k issuer.Key, n int) issuer.Keys {
	var keys issuer.Keys
	for i := range n {
		k.ID = fmt.Sprint("key-", i)
		keys = append(keys, k)
	}
	return keys
}
