package statickey

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The keys of these tests are made when they run: a scanner of repositories takes none of
// them for somebody's.

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func draw(alphabet string, n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

// idOf is an access key's ID of an account, by the inverse of how IAM's are read.
func idOf(prefix string, account uint64) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	binary.BigEndian.PutUint64(b[:8], 1<<63|account<<23|uint64(b[7]&0x7f)<<16)
	return prefix + base32.StdEncoding.EncodeToString(b[:10])
}

func secretOf() string { return "aZ3/" + draw(letters+"+/", 30) + "q7B+k9" }

func clientSecret() string { return "aB" + draw(letters, 1) + "8Q~" + draw(letters+"_-.", 34) }

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func pkcs8(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("PRIVATE KEY", der)
}

func googleJSON(t testing.TB, key string) string {
	t.Helper()
	b, err := json.MarshalIndent(map[string]string{"type": "service_account", "project_id": "shop-1", "private_key_id": "0a1b", "private_key": key,
		"client_email": "orders@shop-1.iam.gserviceaccount.com", "client_id": "1"}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func jwt(claims string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + e([]byte(claims)) + "." + e(bytes.Repeat([]byte("s"), 256))
}

func certificate(t testing.TB) (cert, key string, ends time.Time) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ends = time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"}, NotAfter: ends}, &x509.Certificate{}, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("CERTIFICATE", der), pkcs8(t, k), ends
}

func values(pairs ...string) []Named {
	var list []Named
	for i := 0; i < len(pairs); i += 2 {
		name, as, _ := strings.Cut(pairs[i], " as ")
		n := Named{Name: name, Value: []byte(pairs[i+1])}
		if as != "" {
			n.As = []string{as}
		}
		list = append(list, n)
	}
	return list
}

func zip(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s)) // a buffer takes all
	_ = w.Close()
	return b.String()
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

const (
	client = "5b0d4a3e-1111-4222-8333-944445555666"
	tenant = "9f8e7d6c-1111-4222-8333-944445555666"
)

// TestFind: each kind of key in the places and forms in which people keep it.
func TestFind(t *testing.T) {
	id, secret, other, otherSecret := idOf("AKIA", 123456789012), secretOf(), idOf("AKIA", 210987654321), secretOf()
	hmac := "GOOG1E" + draw("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 55)
	google := googleJSON(t, pkcs8(t, rsaKey(t)))
	quoted, err := json.Marshal(google)
	if err != nil {
		t.Fatal(err)
	}
	app, plainKey := clientSecret(), b64(draw(letters+"+/=", 64))
	storage := draw(letters, 76) + "+ASt" + draw(letters, 5) + "A=="
	cert, certKey, ends := certificate(t)
	sig := url.QueryEscape(b64(draw(letters, 32)))
	legacy := jwt(`{"iss":"kubernetes/serviceaccount","sub":"system:serviceaccount:shop:orders"}`)
	bedrock := "ABSK" + b64("BedrockAPIKey-abcd-at-123456789012:"+draw(letters, 36))
	for name, test := range map[string]struct {
		values []Named
		want   []string
	}{
		"env":                   {values("AWS_ACCESS_KEY_ID", id, "AWS_SECRET_ACCESS_KEY", secret), []string{"aws-access-key " + id + " certain [AWS_SECRET_ACCESS_KEY]"}},
		"spaces around":         {values("AWS_ACCESS_KEY_ID", id+"\n", "AWS_SECRET_ACCESS_KEY", secret+"\n"), []string{"aws-access-key " + id + " certain [AWS_SECRET_ACCESS_KEY]"}},
		"ini":                   {values("credentials", "[default]\naws_access_key_id = "+id+"\naws_secret_access_key = "+secret+"\n"), []string{"aws-access-key " + id + " certain [credentials]"}},
		"ini, secret first":     {values("credentials", "[default]\naws_secret_access_key = "+secret+"\naws_access_key_id = "+id+"\n"), []string{"aws-access-key " + id + " certain [credentials]"}},
		"ini, two profiles":     {values("c", "[a]\naws_access_key_id="+id+"\naws_secret_access_key="+secret+"\n[b]\naws_access_key_id="+other+"\naws_secret_access_key="+otherSecret), []string{"aws-access-key " + id + " certain [c]", "aws-access-key " + other + " certain [c]"}},
		"JSON":                  {values("app.json", `{"s3":{"accessKey":"`+id+`","secretKey":"`+secret+`"}}`), []string{"aws-access-key " + id + " certain [app.json]"}},
		"YAML":                  {values("values.yaml", "s3:\n  accessKey: "+id+"\n  secretKey: \""+secret+"\"\n"), []string{"aws-access-key " + id + " certain [values.yaml]"}},
		"URL":                   {values("URL", "s3://"+id+":"+url.QueryEscape(secret)+"@bucket/path"), []string{"aws-access-key " + id + " certain [URL]"}},
		"arguments":             {values("args", "--aws-access-key-id\n"+id+"\n--aws-secret-access-key\n"+secret), []string{"aws-access-key " + id + " certain [args]"}},
		"two pairs by names":    {values("prod_access_key", id, "prod_secret_key", secret, "test_access_key", other, "test_secret_key", otherSecret), []string{"aws-access-key " + id + " certain [prod_secret_key]", "aws-access-key " + other + " certain [test_secret_key]"}},
		"secret alone":          {values("AWS_SECRET_ACCESS_KEY", secret), []string{"aws-access-key  likely [AWS_SECRET_ACCESS_KEY]"}},
		"secret by its use":     {values("k as AWS_SECRET_ACCESS_KEY", secret), []string{"aws-access-key  likely [k]"}},
		"of another service":    {values("AWS_SECRET_ACCESS_KEY", "not-of-aws-at-all"), []string{"aws-access-key  possible [AWS_SECRET_ACCESS_KEY]"}},
		"bedrock":               {values("AWS_BEARER_TOKEN_BEDROCK", bedrock), []string{"aws-bedrock-key BedrockAPIKey-abcd-at-123456789012 certain [AWS_BEARER_TOKEN_BEDROCK]"}},
		"hmac":                  {values("id", hmac, "secret", secret), []string{"gcp-hmac-key " + hmac + " certain [secret]"}},
		"google":                {values("key.json", google), []string{"gcp-service-account-key orders@shop-1.iam.gserviceaccount.com certain [key.json]"}},
		"google, base64":        {values("GOOGLE_CREDENTIALS", b64(google)), []string{"gcp-service-account-key orders@shop-1.iam.gserviceaccount.com certain [GOOGLE_CREDENTIALS]"}},
		"google in a file":      {values("env.sh", "export GOOGLE_CREDENTIALS='"+google+"'\n"), []string{"gcp-service-account-key orders@shop-1.iam.gserviceaccount.com certain [env.sh]"}},
		"google, a text in it":  {values("c.json", `{"gcs":{"key":`+string(quoted)+`}}`), []string{"gcp-service-account-key orders@shop-1.iam.gserviceaccount.com certain [c.json]"}},
		"google's user":         {values("adc.json", `{"type":"authorized_user","client_id":"c.apps","client_secret":"d","refresh_token":"1//0a`+draw(letters, 40)+`"}`), []string{"gcp-authorized-user c.apps certain [adc.json]"}},
		"azure, by shape":       {values("password", app), []string{"azure-client-secret  certain [password]"}},
		"azure, with IDs":       {values("AZURE_CLIENT_ID", client, "AZURE_TENANT_ID", tenant, "AZURE_CLIENT_SECRET", app), []string{"azure-client-secret " + client + " certain [AZURE_CLIENT_SECRET]"}},
		"azure, older":          {values("c.json", `{"clientId":"`+client+`","tenantId":"`+tenant+`","clientSecret":"`+draw(letters, 32)+`"}`), []string{"azure-client-secret " + client + " likely [c.json]"}},
		"terraform":             {values("ARM_CLIENT_ID", client, "ARM_TENANT_ID", tenant, "ARM_CLIENT_SECRET", app), []string{"azure-client-secret " + client + " certain [ARM_CLIENT_SECRET]"}},
		"azure's password":      {values("AZURE_USERNAME", "a@b.example", "AZURE_PASSWORD", "correct horse battery"), []string{"azure-password  possible [AZURE_PASSWORD]"}},
		"storage key":           {values("k", storage), []string{"azure-storage-key  certain [k]"}},
		"storage key by name":   {values("azurestorageaccountname", "shopfiles", "azurestorageaccountkey", plainKey), []string{"azure-storage-key shopfiles likely [azurestorageaccountkey]"}},
		"connection string":     {values("C", "DefaultEndpointsProtocol=https;AccountName=shopfiles;AccountKey="+plainKey+";EndpointSuffix=core.windows.net"), []string{"azure-storage-key shopfiles certain [C]"}},
		"connection in lines":   {values("a.properties", "x=y\nspring.connection-string=AccountName=shopfiles;AccountKey="+plainKey+"\n"), []string{"azure-storage-key shopfiles certain [a.properties]"}},
		"service bus":           {values("C", "Endpoint=sb://shop.servicebus.example/;SharedAccessKeyName=Root;SharedAccessKey="+b64(draw(letters, 32))), []string{"azure-shared-access-key shop.servicebus.example/Root certain [C]"}},
		"sas":                   {values("U", "https://shopfiles.blob.core.windows.net/c?sv=2024-11-04&ss=b&se=2031-02-03T04:05:06Z&sp=r&sig="+sig), []string{"azure-sas shopfiles certain [U] ends 2031-02-03T04:05:06Z"}},
		"service bus, signed":   {values("U", "SharedAccessSignature sr=https%3a%2f%2fshop.servicebus.windows.net%2f&sig="+sig+"&se=1924992000&skn=Root"), []string{"azure-sas  certain [U] ends 2031-01-01T00:00:00Z"}},
		"sas of a day":          {values("U", "https://shopfiles.blob.core.windows.net/c?sv=2024-11-04&se=2031-02-03&sp=r&sig="+sig), []string{"azure-sas shopfiles certain [U] ends 2031-02-03T00:00:00Z"}},
		"PFX":                   {values("azure-cert.pfx", "\x30\x82\x0a\x00\x02\x01\x03"+draw(letters, 600)), []string{"azure-client-certificate  likely [azure-cert.pfx]"}},
		"a container's":         {values("c.json", `{"env":[{"name":"AWS_SECRET_ACCESS_KEY","value":"not-of-aws-at-all"}]}`), []string{"aws-access-key  possible [c.json]"}},
		"kubeconfig, password":  {values("config", "kind: Config\nclusters: []\nusers: [{name: ci, user: {username: ci, password: correct-horse}}]\n"), []string{"kubernetes-password ci certain [config]"}},
		"acr by auth":           {values(".dockerconfigjson", `{"auths":{"shop.azurecr.io":{"auth":"`+b64(client+":"+draw(letters, 34))+`"}}}`), []string{"azure-client-secret " + client + " certain [.dockerconfigjson]"}},
		"of dockercfg":          {values(".dockercfg", `{"https://shop.azurecr.io/v1/":{"username":"shop","password":"`+draw(letters, 34)+`"}}`), []string{"registry-password shop.azurecr.io/shop certain [.dockercfg]"}},
		"azure certificate":     {values("c.pem as AZURE_CLIENT_CERTIFICATE_PATH", cert+certKey), []string{"azure-client-certificate  likely [c.pem] ends " + ends.Format(time.RFC3339)}},
		"legacy token":          {values("token", legacy), []string{"kubernetes-token system:serviceaccount:shop:orders certain [token]"}},
		"kubeconfig, token":     {values("config", "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://c.example'}}]\ncontexts: [{name: x, context: {cluster: c, user: ci}}]\nusers: [{name: ci, user: {token: "+draw(letters, 40)+"}}]\n"), []string{"kubernetes-token ci certain [config]"}},
		"kubeconfig, key":       {values("config", "kind: Config\nclusters: []\nusers: [{name: ci, user: {client-certificate-data: "+b64(cert)+", client-key-data: "+b64(certKey)+"}}]\n"), []string{"kubernetes-client-key ci certain [config] ends " + ends.Format(time.RFC3339)}},
		"gar":                   {values(".dockerconfigjson", `{"auths":{"europe-docker.pkg.dev":{"auth":"`+b64("_json_key:"+google)+`"}}}`), []string{"gcp-service-account-key orders@shop-1.iam.gserviceaccount.com certain [.dockerconfigjson]"}},
		"acr, an application":   {values(".dockerconfigjson", `{"auths":{"shop.azurecr.io":{"username":"`+client+`","password":"`+draw(letters, 34)+`"}}}`), []string{"azure-client-secret " + client + " certain [.dockerconfigjson]"}},
		"acr, its own":          {values(".dockerconfigjson", `{"auths":{"shop.azurecr.io":{"username":"shop","password":"`+draw(letters, 34)+`"}}}`), []string{"registry-password shop.azurecr.io/shop certain [.dockerconfigjson]"}},
		"helm release":          {values("release", b64(zip(`{"config":{"s3":{"accessKey":"`+id+`","secretKey":"`+secret+`"}},"chart":{"templates":[]}}`))), []string{"aws-access-key " + id + " certain [release]"}},
		"secret within release": {values("release", b64(zip(`{"manifest":"kind: Secret\ndata:\n  id: `+b64(id)+`\n  secret: `+b64(secret)+`\n"}`))), []string{"aws-access-key " + id + " certain [release]"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, k := range Find(test.values).Keys {
				line := fmt.Sprintf("%s %s %s %v", k.Kind, k.ID, k.Confidence, k.Parts)
				if !k.Ends.IsZero() {
					line += " ends " + k.Ends.Format(time.RFC3339)
				}
				if len(k.Evidence) == 0 || k.secret == "" || k.Cloud == "" {
					t.Errorf("%s: evidence %q, cloud %q", line, k.Evidence, k.Cloud)
				}
				got = append(got, line)
			}
			slices.Sort(got)
			slices.Sort(test.want)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDecoys: what looks like a key, and is none.
func TestDecoys(t *testing.T) {
	id, secret := idOf("AKIA", 1), secretOf()
	cert, certKey, _ := certificate(t)
	temporary := idOf("ASIA", 1)
	for name, list := range map[string][]Named{
		"random":                   values("a", draw(letters, 40), "session-key", draw(letters+"+/", 86)+"=="),
		"git":                      values("commit", draw("0123456789abcdef", 40), "aws_secret_sha", draw("0123456789abcdef", 40)),
		"sha256":                   values("digest", draw("0123456789abcdef", 64)),
		"bcrypt":                   values("htpasswd", "admin:$2y$10$"+draw(letters+"./", 53)),
		"documentation":            values("AWS_ACCESS_KEY_ID", "AKIA"+"IOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/"+"K7MDENG/bPxRfiCYEXAMPLEKEY"),
		"temporary":                values("AWS_ACCESS_KEY_ID", temporary, "AWS_SECRET_ACCESS_KEY", secret, "AWS_SESSION_TOKEN", draw(letters, 300)),
		"temporary, no session":    values("AWS_ACCESS_KEY_ID", temporary, "AWS_SECRET_ACCESS_KEY", secret),
		"temporary, two files":     values("a", "[d]\naws_access_key_id="+temporary+"\naws_secret_access_key="+secret, "AWS_SECRET_ACCESS_KEY", secret),
		"session without its ID":   values("AWS_SECRET_ACCESS_KEY", secret, "AWS_SESSION_TOKEN", draw(letters, 300)),
		"an ID":                    values("AWS_ACCESS_KEY_ID", id),
		"far away":                 values("log", id+strings.Repeat(" x", 200)+secret),
		"part of a longer text":    values("jwt", id+" "+draw(letters, 30)+secret),
		"padded":                   values("b", id+" "+secret+"="),
		"two secrets, and one ID":  values("id", id, "a", secretOf(), "b", secretOf()),
		"of another alphabet":      values("a", id+" _"+secret, "b", id+" "+secret+"-"),
		"a keystore":               values("keystore.p12", "\x30\x82\x0a\x00\x02\x01\x03"+draw(letters, 600)),
		"another service's key":    values("ABSK", "ABSK"+b64("something else:"+draw(letters, 36))),
		"a storage class":          values("storage", b64(draw(letters, 64)), "accountName", "shopfiles"),
		"azurite":                  values("C", "AccountName=devstoreaccount1;AccountKey="+b64(draw(letters, 64))),
		"azurite's key":            values("AZURE_STORAGE_ACCOUNT", "x", "storage_key", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDX"+draw(letters, 56)+"=="),
		"certificate":              values("tls.crt", cert, "azure-cert.pem", cert),
		"server's key":             values("tls.crt", cert, "tls.key", certKey),
		"ssh":                      values("id_rsa", pemOf("OPENSSH PRIVATE KEY", []byte(draw(letters, 300)))),
		"google's sample":          values("k.json", googleJSON(t, "-----BEGIN PRIVATE KEY-----\nMIIE...\n-----END PRIVATE KEY-----\n")),
		"external account":         values("k.json", `{"type":"external_account","audience":"a","token_url":"u","credential_source":{"file":"f"}}`),
		"placeholders":             values("AZURE_CLIENT_SECRET", "CHANGEME", "AWS_SECRET_ACCESS_KEY", "${AWS_SECRET}", "AZURE_PASSWORD", "<your-password>", "AZURE_STORAGE_KEY", strings.Repeat("x", 40)),
		"IDs":                      values("AZURE_CLIENT_ID", client, "AZURE_TENANT_ID", tenant, "clientSecret", tenant),
		"bound token":              values("token", jwt(`{"iss":"https://c.example","sub":"system:serviceaccount:a:b","exp":1900000000,"kubernetes.io":{}}`)),
		"somebody's token":         values("token", jwt(`{"iss":"https://c.example","sub":"me"}`)),
		"legacy issuer, and ends":  values("token", jwt(`{"iss":"kubernetes/serviceaccount","sub":"b","exp":1900000000}`)),
		"kubeconfig with a plugin": values("config", "kind: Config\nclusters: []\nusers: [{name: ci, user: {exec: {command: aws}}}]\n"),
		"ecr":                      values(".dockerconfigjson", `{"auths":{"1.dkr.ecr.eu-west-1.amazonaws.com":{"auth":"`+b64("AWS:"+draw(letters, 900))+`"}}}`),
		"gar's access token":       values(".dockerconfigjson", `{"auths":{"eu.gcr.io":{"auth":"`+b64("oauth2accesstoken:ya29."+draw(letters, 100))+`"}}}`),
		"acr's refresh token":      values(".dockerconfigjson", `{"auths":{"shop.azurecr.io":{"username":"00000000-0000-0000-0000-000000000000","password":"`+jwt(`{"exp":1900000000}`)+`"}}}`),
		"another registry":         values(".dockerconfigjson", `{"auths":{"registry.example.com":{"username":"ci","password":"`+draw(letters, 30)+`"}}}`),
		"another client":           values("CLIENT_ID", client, "CLIENT_SECRET", draw(letters, 32)),
		"a signature":              values("U", "https://example.com/?sig="+url.QueryEscape(b64(draw(letters, 32)))),
		"short bedrock":            values("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-"+draw(letters, 200)),
	} {
		t.Run(name, func(t *testing.T) {
			for _, k := range Find(list).Keys {
				t.Errorf("found %s, because of %q", k, k.Evidence)
			}
		})
	}
}

// TestIDs: what is no secret is given for the other object that has its secret.
func TestIDs(t *testing.T) {
	id, short := idOf("AKIA", 123456789012), idOf("ASIA", 1)
	got := Find(values("a", id, "AZURE_CLIENT_ID", client, "tenant-id", tenant, "STORAGE_ACCOUNT_NAME", "files")).IDs
	want := []ID{{ClientID, client, "AZURE_CLIENT_ID"}, {AccountName, "files", "STORAGE_ACCOUNT_NAME"}, {AccessKeyID, id, "a"}, {TenantID, tenant, "tenant-id"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	k := Find(values("AWS_SECRET_ACCESS_KEY", secretOf())).Keys[0]
	if c, ok := k.Complete(got); !ok || c.ID != id || c.Account != "123456789012" {
		t.Errorf("%v of account %s, %t", c, c.Account, ok)
	}
	if _, ok := k.Complete([]ID{{AccessKeyID, short, "a"}}); ok {
		t.Error("the secret of a temporary key is a static key")
	}
	if c, ok := k.Complete([]ID{{AccessKeyID, id, "a"}, {AccessKeyID, idOf("AKIA", 2), "b"}}); !ok || c.ID != "" {
		t.Errorf("of two IDs %s was chosen", c.ID)
	}
	own := idOf("AKIA", 7)
	known := Find(values("AWS_ACCESS_KEY_ID", own, "AWS_SECRET_ACCESS_KEY", secretOf())).Keys[0]
	if c, ok := known.Complete([]ID{{AccessKeyID, short, "a"}}); !ok || c.ID != own {
		t.Errorf("a key with an ID of its own is %v, %t", c, ok)
	}
	evidence := []string{"an access key's ID, whose prefix says that it does not end", "its ID is of account 000000000007", "a secret of its shape is kept beside it"}
	if diff := cmp.Diff(evidence, known.Evidence); diff != "" {
		t.Error(diff)
	}
	app := Find(values("p", clientSecret())).Keys[0]
	if c, ok := app.Complete(got); !ok || c.ID != client || c.Account != tenant {
		t.Errorf("%v of %s, %t", c, c.Account, ok)
	}
}

// TestAccount: an ID and account by hand, from "A short note on AWS key ID" of 2023.
func TestAccount(t *testing.T) {
	for id, want := range map[string]string{
		"ASIA" + "Y34FZKBOKMUTVV7A": "609629065308",
		"AKIA" + "IOSFODNN7ABCDEFG": "",
	} {
		if got := account(id); got != want {
			t.Errorf("%s is of %q, want %q", id, got, want)
		}
	}
}

// TestNothingShown: no way of printing a key shows its secret.
func TestNothingShown(t *testing.T) {
	secret := secretOf()
	k := Find(values("AWS_ACCESS_KEY_ID", idOf("AKIA", 1), "AWS_SECRET_ACCESS_KEY", secret)).Keys[0]
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("Found", "key", k, "keys", []Key{k})
	b, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{string(b), log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for _, v := range []any{k, &k, []Key{k}, Found{Keys: []Key{k}}} {
			shown = append(shown, fmt.Sprintf(verb, v))
		}
	}
	for _, s := range shown {
		if strings.Contains(s, secret) || strings.Contains(s, secret[:12]) {
			t.Errorf("a secret is shown in %d bytes", len(s))
		}
	}
	if got, want := fmt.Sprintf("%#v", k), "aws-access-key "+k.ID; got != want {
		t.Errorf("it is printed as %q, want %q", got, want)
	}
	one, two := k.Fingerprint([]byte("a")), k.Fingerprint([]byte("b"))
	if len(one) != 16 || one == two {
		t.Errorf("fingerprints %s and %s", one, two)
	}
	elsewhere := Find(values("c", "[default]\naws_access_key_id="+k.ID+"\naws_secret_access_key="+secret)).Keys[0]
	if got := elsewhere.Fingerprint([]byte("a")); got != one {
		t.Errorf("the same key has fingerprints %s and %s", one, got)
	}
}

// TestRandom: random texts are no keys.
func TestRandom(t *testing.T) {
	for n := range 20_000 {
		s := draw(letters+"+/", 20+n%80)
		if n%2 == 0 {
			s = base64.StdEncoding.EncodeToString([]byte(s))
		}
		if got := Find(values("value", s, "secret", draw(letters+"+/", 40))).Keys; len(got) > 0 {
			t.Fatalf("%v, because of %q", got, got[0].Evidence)
		}
	}
}

// FuzzFind: whatever it is given, it ends, and shows no secret.
func FuzzFind(f *testing.F) {
	f.Add("AWS_SECRET_ACCESS_KEY", []byte(secretOf()))
	f.Add("credentials", []byte("[default]\naws_access_key_id = "+idOf("AKIA", 1)+"\naws_secret_access_key = "+secretOf()))
	f.Add("a", []byte(`{"type":"service_account","private_key":"-----BEGIN"}`))
	f.Add("c", []byte("AccountName=a;AccountKey=b"))
	f.Add("r", []byte(b64(zip(`{"a":"b"}`))))
	f.Fuzz(func(t *testing.T, name string, value []byte) {
		for _, k := range Find([]Named{{Name: name, Value: value}}).Keys {
			if len(k.secret) > 12 && !strings.Contains(name, k.secret) && strings.Contains(fmt.Sprintf("%+v", k), k.secret) {
				t.Errorf("a secret is shown: %q", value)
			}
		}
	})
}

func BenchmarkFind(b *testing.B) {
	release := zip(`{"config":{"s3":{"accessKey":"` + idOf("AKIA", 1) + `","secretKey":"` + secretOf() + `"}},"manifest":"` + strings.Repeat(`kind: Deployment\nname: `+draw(letters, 20)+`\n`, 5000) + `"}`)
	for name, list := range map[string][]Named{
		"small":   values("username", draw(letters, 12), "password", draw(letters, 20)),
		"file":    values("application.yaml", strings.Repeat("spring:\n  datasource: {url: jdbc, password: "+draw(letters, 20)+"}\n", 50)),
		"release": values("release", b64(release)),
	} {
		n := 0
		for _, v := range list {
			n += len(v.Value)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				Find(list)
			}
		})
	}
}
