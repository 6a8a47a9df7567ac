package statickeys

import (
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShapes: what is made has the shape that its cloud gives it.
func TestShapes(t *testing.T) {
	t.Parallel()
	aws, hmac, client, account, user := newAWSKey(), newHMACKey(), newAzureClient(), newStorageAccount(), newAuthorizedUser()
	tests := map[string]struct{ value, shape string }{
		"AWS key ID":            {aws.id, `^AKIA[Q-Z2-7][A-Z2-7]{15}$`},
		"AWS temporary key ID":  {accessKeyID("ASIA", awsAccount), `^ASIA[Q-Z2-7][A-Z2-7]{15}$`},
		"AWS secret":            {aws.secret, `^[A-Za-z0-9+/]{40}$`},
		"Google HMAC ID":        {hmac.id, `^GOOG1E[A-Z2-7]{55}$`},
		"Google HMAC secret":    {hmac.secret, `^[A-Za-z0-9+/]{40}$`},
		"Google client":         {user.clientID, `^[1-9]{12}-[a-z0-9]{32}\.apps\.googleusercontent\.com$`},
		"Google client secret":  {user.clientSecret, `^GOCSPX-[A-Za-z0-9_-]{28}$`},
		"Google refresh token":  {user.refreshToken, `^1//0[A-Za-z0-9_-]{99}$`},
		"Azure client secret":   {client.secret, `^[A-Za-z0-9]{3}[0-9]Q~[A-Za-z0-9_.~-]{34}$`},
		"Azure client ID":       {client.id, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		"Azure storage account": {account.name, `^[a-z0-9]{3,24}$`},
		"Azure storage key":     {account.key, `^[A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{5}[AQgw]==$`},
		"Azurite's key":         {azurite, `^[A-Za-z0-9+/]{86}==$`},
		"SAS":                   {newSAS().url, `^https://[a-z0-9]{3,24}\.blob\.core\.windows\.net/backups\?se=\S+&sig=[A-Za-z0-9%]+%3D&sp=rwdlac&spr=https&\S+&sv=2024-11-04$`},
		"Google key's first":    {pemLines(newGoogleKey("a").pem)[0], `^MII[A-Za-z0-9+/]{61}$`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !regexp.MustCompile(test.shape).MatchString(test.value) {
				t.Errorf("the %d characters made do not match %s", len(test.value), test.shape)
			}
		})
	}
}

// TestMixed64: all classes of characters are there, which a recogniser may ask for.
func TestMixed64(t *testing.T) {
	t.Parallel()
	for range 1000 {
		s := mixed64(30)
		for _, class := range []string{`[a-z]`, `[A-Z]`, `[0-9]`, `[+/]`} {
			if !regexp.MustCompile(class).MatchString(s) {
				t.Fatalf("a secret has nothing of %s", class)
			}
		}
	}
}

// TestAccount: an access key's ID says its account, by the formula with which it is read.
func TestAccount(t *testing.T) {
	t.Parallel()
	for _, account := range []uint64{0, 1, 111122223333, 123456789012, 999999999999} {
		decoded, err := base32.StdEncoding.DecodeString(accessKeyID("AKIA", account)[4:])
		if err != nil {
			t.Fatal(err)
		}
		if got := binary.BigEndian.Uint64(append([]byte{0, 0}, decoded[:6]...)) & 0x7fffffffff80 >> 7; got != account {
			t.Errorf("the ID says account %d, not %d", got, account)
		}
	}
}

// TestGoogleKey: the private key of a key file parses, and the file says whose it is.
func TestGoogleKey(t *testing.T) {
	t.Parallel()
	k := newGoogleKey("orders")
	var file struct {
		Type  string `json:"type"`
		Email string `json:"client_email"`
		Key   string `json:"private_key"`
		ID    string `json:"private_key_id"`
	}
	if err := json.Unmarshal([]byte(k.file), &file); err != nil {
		t.Fatal(err)
	}
	if file.Type != "service_account" || file.Email != "orders@shop-production.iam.gserviceaccount.com" || len(file.ID) != 40 {
		t.Errorf("type %q, client_email %q, private_key_id of %d characters", file.Type, file.Email, len(file.ID))
	}
	block, _ := pem.Decode([]byte(file.Key))
	if block == nil {
		t.Fatal("its private_key is no PEM")
	}
	if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
		t.Error(err)
	}
}

// TestTokens: a legacy token has no end, and a bound one has; both name the account.
func TestTokens(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		token  string
		issuer string
		ends   bool
	}{
		"legacy": {legacyToken(namespace, "deployer"), "kubernetes/serviceaccount", false},
		"bound":  {boundToken(namespace, "deployer"), "https://oidc.example.com", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			payload, err := base64.RawURLEncoding.DecodeString(strings.Split(test.token, ".")[1])
			if err != nil {
				t.Fatal(err)
			}
			var claims map[string]any
			if err := json.Unmarshal(payload, &claims); err != nil {
				t.Fatal(err)
			}
			_, ends := claims["exp"]
			got := []any{claims["iss"], claims["sub"], ends}
			if diff := cmp.Diff([]any{test.issuer, "system:serviceaccount:shop:deployer", test.ends}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAnew: no two calls make the same secret.
func TestAnew(t *testing.T) {
	t.Parallel()
	first := map[string]bool{}
	for _, c := range Cases(namespace) {
		for _, secret := range c.Secrets {
			if first[secret] {
				t.Errorf("%s has a secret of another case", c.Name)
			}
			first[secret] = true
		}
	}
	for _, c := range Cases(namespace) {
		for _, secret := range c.Secrets {
			if first[secret] {
				t.Errorf("%s has the same secret again", c.Name)
			}
		}
	}
}

// TestConnectionURL: a secret's signs do not end the URL's user.
func TestConnectionURL(t *testing.T) {
	t.Parallel()
	for _, c := range Cases(namespace) {
		if c.Name != "connection-url" {
			continue
		}
		at := regexp.MustCompile(`s3://[^\n]+`).FindString(plain(c.Objects[0].Object))
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal("the URL does not parse") // its error would show it
		}
		if password, _ := u.User.Password(); u.Host != "orders-backup" || u.User.Username() != c.ID || password != c.Secrets[0] {
			t.Errorf("the URL has host %q, and another user or password than was given", u.Host)
		}
		return
	}
	t.Error("no case connection-url")
}
