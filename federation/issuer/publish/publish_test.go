package publish_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/issuer/publish"
)

const url = "https://issuer.example.com"

func keysOf(t testing.TB, files ...string) issuer.Keys {
	t.Helper()
	var all issuer.Keys
	for _, f := range files {
		content, err := os.ReadFile("../testdata/" + f)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := issuer.ParsePublicKeys(content)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, keys...)
	}
	return all
}

func folder(t testing.TB) (publish.Place, string) {
	t.Helper()
	dir := t.TempDir()
	place, err := publish.Open(dir, nil, publish.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	return place, dir
}

func wanted(keys issuer.Keys, drop ...string) publish.Wanted {
	return publish.Wanted{Issuer: url, JWKSPath: issuer.DefaultJWKSPath, Keys: keys, Drop: drop}
}

func apply(t testing.TB, place publish.Place, w publish.Wanted) *publish.Plan {
	t.Helper()
	p, err := publish.Prepare(t.Context(), place, w)
	if err == nil {
		err = p.Apply(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// files are those below a directory, by slash.
func files(t testing.TB, dir string) (list []string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, err := filepath.Rel(dir, path)
			list = append(list, filepath.ToSlash(rel))
			return err
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestPublish: keys are added and stay, until they are dropped by name; a second time
// nothing is written; nothing but the two objects is there.
func TestPublish(t *testing.T) {
	place, dir := folder(t)
	old, added := keysOf(t, "rsa.pub"), keysOf(t, "ec.pub")

	p := apply(t, place, wanted(old))
	if diff := cmp.Diff([]string{"/openid/v1/jwks", "/.well-known/openid-configuration"}, paths(p)); diff != "" {
		t.Errorf("order of writes: %s", diff)
	}
	if diff := cmp.Diff([]string{".well-known/openid-configuration", "openid/v1/jwks"}, files(t, dir)); diff != "" {
		t.Error(diff)
	}
	if p := apply(t, place, wanted(old)); len(p.Writes) != 0 || p.Added != nil || p.Dropped != nil {
		t.Errorf("a second time %v is written", paths(p))
	}
	p = apply(t, place, wanted(added))
	if diff := cmp.Diff([][]string{{added[0].ID}, nil, {old[0].ID, added[0].ID}}, [][]string{p.Added, p.Dropped, p.Keys.IDs()}); diff != "" {
		t.Error(diff)
	}
	p = apply(t, place, wanted(added, old[0].ID))
	if diff := cmp.Diff([][]string{nil, {old[0].ID}, {added[0].ID}}, [][]string{p.Added, p.Dropped, p.Keys.IDs()}); diff != "" {
		t.Error(diff)
	}
	text, err := os.ReadFile(filepath.Join(dir, "openid/v1/jwks"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := issuer.ParseKeys(text)
	if err != nil || !slices.Equal(keys.IDs(), []string{added[0].ID}) {
		t.Errorf("published: %v, %v", keys, err)
	}
}

func paths(p *publish.Plan) (list []string) {
	for _, o := range p.Writes {
		list = append(list, o.Path)
	}
	return list
}

// TestPrepareRefuses: what would break somebody is refused before anything is written.
func TestPrepareRefuses(t *testing.T) {
	rsa, ec := keysOf(t, "rsa.pub"), keysOf(t, "ec.pub")
	impostor := slices.Clone(ec)
	impostor[0].ID = rsa[0].ID
	for name, test := range map[string]struct {
		jwks string // instead of what is published
		want publish.Wanted
		is   func(error) bool
	}{
		"another key of that kid": {want: wanted(impostor), is: is[*issuer.ConflictError]},
		"another issuer":          {want: publish.Wanted{Issuer: url + "/", JWKSPath: "/openid/v1/jwks", Keys: rsa}, is: is[*publish.OtherIssuerError]},
		"no JWKS":                 {jwks: "<html>", want: wanted(rsa), is: is[*publish.UnreadableError]},
		"a private key": {
			jwks: `{"keys":[{"kty":"RSA","kid":"one","n":"AQAB","e":"AQAB","d":"hunter2"}]}`, want: wanted(rsa),
			is: func(err error) bool {
				return errors.Is(err, issuer.ErrPrivateKey) && !strings.Contains(err.Error(), "hunter2")
			},
		},
		"nothing left":     {want: wanted(nil, rsa[0].ID), is: func(err error) bool { return err != nil }},
		"kept and dropped": {want: wanted(rsa, rsa[0].ID), is: func(err error) bool { return err != nil }},
		"no issuer":        {want: publish.Wanted{Issuer: "http://issuer.example.com", JWKSPath: "/openid/v1/jwks", Keys: rsa, Replace: true}, is: func(err error) bool { return err != nil }},
	} {
		place, dir := folder(t)
		apply(t, place, wanted(rsa))
		file := filepath.Join(dir, "openid/v1/jwks")
		if test.jwks != "" {
			if err := os.WriteFile(file, []byte(test.jwks), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := publish.Prepare(t.Context(), place, test.want); !test.is(err) || p != nil {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
			t.Errorf("%s: something was written: %v", name, err)
		}
		if test.jwks != "" {
			test.want.Replace = true
			if p := apply(t, place, test.want); !slices.Equal(p.Keys.IDs(), []string{rsa[0].ID}) {
				t.Errorf("%s: replaced by %v", name, p.Keys)
			}
		}
	}
}

func is[E error](err error) bool { _, ok := errors.AsType[E](err); return ok }

// TestTwoWriters: of two who have read the same, the later one is told, and adds to what
// the earlier one has written when it tries again.
func TestTwoWriters(t *testing.T) {
	place, _ := folder(t)
	twoWriters(t, place)
}

func twoWriters(t *testing.T, place publish.Place) {
	t.Helper()
	first, second := keysOf(t, "rsa.pub"), keysOf(t, "ec.pub")
	late, err := publish.Prepare(t.Context(), place, wanted(second))
	if err != nil {
		t.Fatal(err)
	}
	apply(t, place, wanted(first))
	if err := late.Apply(t.Context()); !errors.Is(err, publish.ErrChanged) {
		t.Errorf("the later of two first writers: %v", err)
	}
	apply(t, place, wanted(second))
	if late, err = publish.Prepare(t.Context(), place, wanted(keysOf(t, "ec-384.pub"))); err != nil {
		t.Fatal(err)
	}
	apply(t, place, wanted(second, first[0].ID))
	if err := late.Apply(t.Context()); !errors.Is(err, publish.ErrChanged) {
		t.Errorf("the later of two writers: %v", err)
	}
	p := apply(t, place, wanted(keysOf(t, "ec-384.pub")))
	if len(p.Keys) != 2 || len(p.Added) != 1 {
		t.Errorf("after another try: %v", p.Keys)
	}
}

// killed ends at the nth write, before or after it is done.
type killed struct {
	publish.Place
	left  int
	after bool
}

var errKilled = errors.New("killed")

func (k *killed) Put(ctx context.Context, o publish.Object, had publish.Version) error {
	if k.left--; k.left > 0 {
		return k.Place.Put(ctx, o, had)
	}
	if k.after {
		if err := k.Place.Put(ctx, o, had); err != nil {
			return err
		}
	}
	return errKilled
}

// TestApplyKilled: ended at any write, what is there can be read, a document is never
// there before its keys, and the next run does the rest.
func TestApplyKilled(t *testing.T) {
	keys := keysOf(t, "rsa.pub")
	for write := 1; write <= 2; write++ {
		for _, after := range []bool{false, true} {
			place, dir := folder(t)
			p, err := publish.Prepare(t.Context(), &killed{place, write, after}, wanted(keys))
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Apply(t.Context()); !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			if list := files(t, dir); slices.Contains(list, ".well-known/openid-configuration") && !slices.Contains(list, "openid/v1/jwks") {
				t.Errorf("killed at write %d: a document without its keys", write)
			}
			apply(t, place, wanted(keys))
			if list := files(t, dir); len(list) != 2 {
				t.Errorf("killed at write %d and done again: %v", write, list)
			}
		}
	}
}

// TestFolderSweeps: what a killed writer left is removed by a later one, and a file of
// somebody who writes now is not.
func TestFolderSweeps(t *testing.T) {
	place, dir := folder(t)
	apply(t, place, wanted(keysOf(t, "rsa.pub")))
	for name, age := range map[string]time.Duration{"openid/v1/.podpass-old": time.Hour, "openid/v1/.podpass-new": 0} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, place, wanted(keysOf(t, "ec.pub")))
	if diff := cmp.Diff([]string{".well-known/openid-configuration", "openid/v1/.podpass-new", "openid/v1/jwks"}, files(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestOpen(t *testing.T) {
	all := publish.Credentials{AWSAccessKeyID: "AKIA", AWSSecretAccessKey: "hunter2", Bearer: "hunter3", AzureSAS: "sig=hunter4"}
	for name, test := range map[string]struct {
		credentials publish.Credentials
		want        string // the place's name, or what the error holds
	}{
		"s3://issuer?region=eu-central-1":                     {all, "s3://issuer"},
		"s3://issuer/prod/?region=eu-central-1":               {all, "s3://issuer/prod"},
		"s3://issuer?endpoint=https://minio.example.com:9000": {all, "s3://issuer"},
		"s3://issuer":                                             {all, "no region of the bucket"},
		"s3://issuer?region=evil.example.com/":                    {all, "no region of the bucket"},
		"s3://issuer?endpoint=http://minio.example.com":           {all, "want https://HOST"},
		"s3://issuer?endpoint=https://minio.example.com/x":        {all, "want https://HOST"},
		"s3://issuer?zone=a":                                      {all, `no option "zone"`},
		"s3://Issuer?region=eu-central-1":                         {all, "not the name of a bucket"},
		"s3://issuer?region=eu-west-1":                            {publish.Credentials{}, "AWS_ACCESS_KEY_ID"},
		"s3://AKIA:hunter2@issuer":                                {all, "no credentials in its name"},
		"gs://issuer_one/prod":                                    {all, "gs://issuer_one/prod"},
		"gs://issuer":                                             {publish.Credentials{}, "GOOGLE_OAUTH_ACCESS_TOKEN"},
		"gs://issuer?endpoint=https://example.com":                {all, "no option"},
		"az://account/issuer/prod":                                {all, "az://account/issuer/prod"},
		"az://account/$web":                                       {all, "az://account/$web"},
		"az://account/issuer?suffix=blob.core.usgovcloudapi.net":  {all, "az://account/issuer"},
		"az://account/issuer?suffix=blob.core.windows.net.evil.x": {all, "not one of Azure's"},
		"az://account":                                            {all, "not the name of a container"},
		"az://evil.example.com%2F/issuer":                         {all, "not a place"},
		"az://account/issuer":                                     {publish.Credentials{}, "AZURE_STORAGE_SAS_TOKEN"},
		"https://example.com":                                     {all, "not a place"},
		"/nowhere/at/all":                                         {all, "no such file"},
		"file:../testdata":                                        {all, "../testdata"},
		"../testdata/rsa.pub":                                     {all, "not a directory"},
	} {
		place, err := publish.Open(name, nil, test.credentials)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = place.String()
		}
		if !strings.Contains(got, test.want) || err == nil && got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		if strings.Contains(got, "hunter") {
			t.Errorf("%s: a secret is shown: %s", name, got)
		}
	}
}
