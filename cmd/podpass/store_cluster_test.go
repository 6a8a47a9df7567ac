package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/issuer/publish"
	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/testbed"
)

// TestClusterStore: a real S3 takes podpass's signatures, keeps its conditions, and shows
// the objects as clouds want them.
func TestClusterStore(t *testing.T) {
	cluster.Require(t, cluster.Options{ControlPlaneOnly: true})
	store := testbed.StartStore(t, "issuer")
	client, err := store.Client()
	if err != nil {
		t.Fatal(err)
	}
	open := func(secret string) publish.Place {
		place, err := publish.Open("s3://issuer/prod?endpoint="+store.URL, client, publish.Credentials{AWSAccessKeyID: store.AccessKeyID, AWSSecretAccessKey: federation.Secret(secret)})
		if err != nil {
			t.Fatal(err)
		}
		return place
	}
	place := open(store.SecretAccessKey)
	url := store.URL + "/issuer/prod"
	wanted := func(file string) publish.Wanted {
		text, err := os.ReadFile("../../federation/issuer/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := issuer.ParsePublicKeys(text)
		if err != nil {
			t.Fatal(err)
		}
		return publish.Wanted{Issuer: url, JWKSPath: issuer.DefaultJWKSPath, Keys: keys}
	}
	prepare := func(file string) *publish.Plan {
		p, err := publish.Prepare(t.Context(), place, wanted(file))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	// At first nothing is there, then something.
	for _, files := range [][2]string{{"rsa.pub", "ec.pub"}, {"ec-384.pub", "ec.pub"}} {
		first, second := prepare(files[0]), prepare(files[1])
		if err := first.Apply(t.Context()); err != nil {
			t.Fatalf("%s: %v", files[0], err)
		}
		if err := second.Apply(t.Context()); !errors.Is(err, publish.ErrChanged) {
			t.Errorf("%s: the later of two writers: %v", files[1], err)
		}
	}
	_, err = publish.Prepare(t.Context(), open("wrong"), wanted("rsa.pub"))
	if e, ok := errors.AsType[*publish.RefusedError](err); !ok || e.Code != "SignatureDoesNotMatch" {
		t.Errorf("with a wrong key: %v", err)
	}

	p := issuer.Fetch(t.Context(), client, url)
	findings, err := json.Marshal(issuer.Verify(p, issuer.Cluster{Private: true}))
	if err != nil {
		t.Fatal(err)
	}
	// The only finding is of the test's own EC key of 384 bits.
	if bytes.Count(findings, []byte(`"code"`)) != 1 || !bytes.Contains(findings, []byte(`"WI117"`)) {
		t.Errorf("seen from outside: %s", findings)
	}
	objects, err := store.Objects()
	if diff := cmp.Diff([]string{"prod/.well-known/openid-configuration", "prod/openid/v1/jwks"}, objects); diff != "" || err != nil {
		t.Errorf("objects: %v %s", err, diff)
	}
}
