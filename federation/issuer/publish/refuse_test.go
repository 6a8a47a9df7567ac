package publish_test

import (
	"errors"
	"net/http"
	neturl "net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/issuer/publish"
)

// TestOpenSays: a name that is no place, and credentials that are missing, by their own words.
func TestOpenSays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const (
		noPlace = " is not a place: want a directory, s3://, gs:// or az://"
		noKeys  = "no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where they are temporary"
		noUser  = "a place has no credentials in its name: they come from the environment"
	)
	endpoint := func(e string) string { return "s3://keys?region=eu-central-1&endpoint=" + neturl.QueryEscape(e) }
	without := func(change func(*publish.Credentials)) *publish.Credentials {
		c := secrets
		change(&c)
		return &c
	}
	for name, test := range map[string]struct {
		place       string
		credentials *publish.Credentials // nil: all
		want        string
	}{
		"no URL":                {"s3://%zz", nil, `"s3://%zz"` + noPlace},
		"another scheme":        {"ftp://keys", nil, `"ftp://keys"` + noPlace},
		"a user":                {"s3://me@keys", nil, noUser},
		"a fragment":            {"gs://keys#x", nil, noUser},
		"no directory":          {"", nil, "no directory"},
		"none there":            {file + "-none", nil, "stat " + file + "-none: no such file or directory"},
		"a file":                {"file:" + file, nil, file + " is not a directory"},
		"an option of S3":       {"s3://keys?regoin=x", nil, `s3://keys has no option "regoin": want region or endpoint`},
		"an option twice":       {"s3://keys?region=a&region=b", nil, `s3://keys has no option "region": want region or endpoint`},
		"an option of Google":   {"gs://keys?region=x", nil, `gs://keys has no option "region": want `},
		"an option of Azure":    {"az://account/keys?region=x", nil, `az://account has no option "region": want suffix`},
		"no bucket":             {"s3://Keys", nil, `"Keys" is not the name of a bucket`},
		"no bucket of Google's": {"gs://k", nil, `"k" is not the name of a bucket`},
		"no account":            {"az://My-Account/keys", nil, `"My-Account" is not the name of a storage account`},
		"no container":          {"az://account", nil, `"" is not the name of a container: want az://ACCOUNT/CONTAINER`},
		"no container's name":   {"az://account/a--b", nil, `"a--b" is not the name of a container: want az://ACCOUNT/CONTAINER`},
		"a suffix of nobody's":  {"az://account/keys?suffix=blob.example.com", nil, `suffix "blob.example.com" is not one of Azure's`},
		"no region":             {"s3://keys", nil, "no region of the bucket: s3://keys?region=REGION, or AWS_REGION"},
		"no key ID":             {"s3://keys?region=eu-central-1", without(func(c *publish.Credentials) { c.AWSAccessKeyID = "" }), noKeys},
		"no key":                {"s3://keys?region=eu-central-1", without(func(c *publish.Credentials) { c.AWSSecretAccessKey = "" }), noKeys},
		"no token":              {"gs://keys", without(func(c *publish.Credentials) { c.Bearer = "" }), "no access token for Google Cloud Storage: set GOOGLE_OAUTH_ACCESS_TOKEN, or give it on standard input with --token-stdin"},
		"neither for Azure":     {"az://account/keys", without(func(c *publish.Credentials) { c.Bearer, c.AzureSAS = "", "" }), "no credentials for Azure Blob Storage: set AZURE_STORAGE_SAS_TOKEN, or give an access token on standard input with --token-stdin"},
		"an endpoint by http":   {endpoint("http://minio.example.com"), nil, `endpoint "http://minio.example.com": want https://HOST`},
		"an endpoint of no URL": {endpoint("https://%zz"), nil, `endpoint "https://%zz": want https://HOST`},
		"without a host":        {endpoint("https:///x"), nil, `endpoint "https:///x": want https://HOST`},
		"with a path":           {endpoint("https://minio.example.com/x"), nil, `endpoint "https://minio.example.com/x": want https://HOST`},
		"with a query":          {endpoint("https://minio.example.com?x"), nil, `endpoint "https://minio.example.com?x": want https://HOST`},
		"with a user":           {endpoint("https://me@minio.example.com"), nil, `endpoint "https://me@minio.example.com": want https://HOST`},
	} {
		credentials := secrets
		if test.credentials != nil {
			credentials = *test.credentials
		}
		if place, err := publish.Open(test.place, http.DefaultClient, credentials); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, %v, want %s", name, place, err, test.want)
		}
	}
}

// TestNames: a place is named without its options and credentials, and asked where it is.
func TestNames(t *testing.T) {
	region := secrets
	region.AWSRegion = "eu-west-1"
	for place, want := range map[string]struct{ name, asked string }{
		"s3://keys/prod?region=cn-north-1":               {"s3://keys/prod", "keys.s3.cn-north-1.amazonaws.com.cn/prod/openid/v1/jwks"},
		"s3://keys":                                      {"s3://keys", "keys.s3.eu-west-1.amazonaws.com/openid/v1/jwks"},
		"s3://keys?region=us-east-2":                     {"s3://keys", "keys.s3.us-east-2.amazonaws.com/openid/v1/jwks"},
		"s3://keys/a%20b?endpoint=https://minio.example": {"s3://keys/a b", "minio.example/keys/a%20b/openid/v1/jwks"},
		"gs://my_keys/":                                  {"gs://my_keys", "storage.googleapis.com/my_keys/openid/v1/jwks"},
		"az://account/keys/":                             {"az://account/keys", "account.blob.core.windows.net/keys/openid/v1/jwks"},
	} {
		asked := ""
		client := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.Host + r.URL.EscapedPath()
			w.WriteHeader(http.StatusNotFound)
		}))
		p, err := publish.Open(place, client, region)
		if err != nil {
			t.Errorf("%s: %v", place, err)
			continue
		}
		if _, version, err := p.Get(t.Context(), "/openid/v1/jwks"); err != nil || version != "" {
			t.Errorf("%s: version %q, %v, want that it is not there", place, version, err)
		}
		if p.String() != want.name || asked != want.asked {
			t.Errorf("%s is named %s and asked for %s, want %s and %s", place, p, asked, want.name, want.asked)
		}
	}
}

// TestFolderRefuses: what cannot be read or written is told, and nothing is left behind.
func TestFolderRefuses(t *testing.T) {
	dir := t.TempDir()
	place, err := publish.Open(dir, nil, publish.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	write := func(path, content string) {
		t.Helper()
		file := filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("large", strings.Repeat(" ", issuer.MaxSize+1))
	write("fits", strings.Repeat(" ", issuer.MaxSize))
	write("directory/x", "")
	if o, version, err := place.Get(t.Context(), "/fits"); err != nil || version == "" || len(o.Body) != issuer.MaxSize || o.ContentType != "application/json" || o.CacheControl != "public, max-age=3600" {
		t.Errorf("the largest that fits: %d bytes, %v", len(o.Body), err)
	}
	for path, want := range map[string]string{
		"/large": dir + "/large is larger than 131072 bytes", "/directory": "read " + dir + "/directory: is a directory", "/fits/x": "stat " + dir + "/fits/x: not a directory",
	} {
		if _, version, err := place.Get(t.Context(), path); err == nil || err.Error() != want || version != "" && path != "/directory" {
			t.Errorf("read %s: %q, %v, want %s", path, version, err, want)
		}
	}
	object := func(path string) publish.Object { return publish.Object{Path: path, Body: []byte("{}")} }
	if err := place.Put(t.Context(), object("/fits/x"), ""); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("write below a file: %v", err)
	}
	for name, version := range map[string]publish.Version{"as new": "", "as another": "x"} {
		if err := place.Put(t.Context(), object("/fits"), version); !errors.Is(err, publish.ErrChanged) {
			t.Errorf("write %s what is there: %v", name, err)
		}
	}
	if err := place.Put(t.Context(), object("/new"), "x"); !errors.Is(err, publish.ErrChanged) {
		t.Errorf("replace what is not there: %v", err)
	}
	if err := place.Put(t.Context(), object("/large"), ""); err == nil || errors.Is(err, publish.ErrChanged) {
		t.Errorf("write what cannot be read: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".podpass-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
