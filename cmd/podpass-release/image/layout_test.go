package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass-release/linked"
)

// layout writes an OCI layout of one image with one layer, as buildah pushes it.
func layout(t *testing.T, arch string, files map[string]string) Image {
	t.Helper()
	i := Image{Dir: t.TempDir(), Platform: linked.Platform{OS: "linux", Arch: arch}}
	blobs := filepath.Join(i.Dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		t.Fatal(err)
	}
	blob := func(mediaType string, body []byte) descriptor {
		sum := sha256.Sum256(body)
		name := hex.EncodeToString(sum[:])
		if err := os.WriteFile(filepath.Join(blobs, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
		return descriptor{MediaType: mediaType, Digest: "sha256:" + name, Size: int64(len(body))}
	}
	var layer bytes.Buffer
	z := gzip.NewWriter(&layer)
	w := tar.NewWriter(z)
	for name, body := range files {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(body)), Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	marshal := func(v any) []byte {
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	m := manifest{
		Config: blob("application/vnd.oci.image.config.v1+json", marshal(map[string]string{"architecture": arch, "os": "linux"})),
		Layers: []descriptor{blob("application/vnd.oci.image.layer.v1.tar+gzip", layer.Bytes())},
	}
	top := index{SchemaVersion: 2, Manifests: []descriptor{blob(manifestType, marshal(m))}}
	if err := os.WriteFile(filepath.Join(i.Dir, "index.json"), marshal(top), 0o600); err != nil {
		t.Fatal(err)
	}
	return i
}

// TestMerge: a registry client finds one tag, below it both platforms, and each blob by
// its digest; a layer that both share is there once.
func TestMerge(t *testing.T) {
	same := map[string]string{"podpass-broker": "a program"}
	images := []Image{layout(t, "amd64", same), layout(t, "arm64", same)}
	to := filepath.Join(t.TempDir(), "merged")
	digest, err := Merge(to, "1.2.3", images)
	if err != nil {
		t.Fatal(err)
	}
	var top, all index
	if err := readJSON(filepath.Join(to, "index.json"), &top); err != nil {
		t.Fatal(err)
	}
	if len(top.Manifests) != 1 || top.Manifests[0].Digest != digest || top.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "1.2.3" {
		t.Errorf("the layout does not name %s as 1.2.3: %+v", digest, top)
	}
	merged := Image{Dir: to}
	if err := readJSON(merged.blob(digest), &all); err != nil {
		t.Fatal(err)
	}
	var platforms []platform
	for _, m := range all.Manifests {
		platforms = append(platforms, *m.Platform)
	}
	if diff := cmp.Diff([]platform{{"amd64", "linux"}, {"arm64", "linux"}}, platforms); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	blobs, err := os.ReadDir(filepath.Join(to, "blobs", "sha256"))
	if err != nil {
		t.Fatal(err)
	}
	// The index, and for each platform a manifest and a configuration, and one layer.
	if len(blobs) != 6 {
		t.Errorf("got %d blobs, want 6", len(blobs))
	}
	for _, b := range blobs {
		body, err := os.ReadFile(filepath.Join(to, "blobs", "sha256", b.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != b.Name() {
			t.Errorf("blob %s has other contents", b.Name())
		}
	}
}

func TestFiles(t *testing.T) {
	want := map[string]string{"podpass-broker": "a program", "licenses/NOTICES": "By somebody."}
	i := layout(t, "amd64", want)
	got := map[string]string{}
	if err := i.Files(func(h *tar.Header, body io.Reader) error {
		b, err := io.ReadAll(body)
		got[h.Name] = string(b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if size, err := i.Size(); err != nil || size == 0 {
		t.Errorf("size %d, %v", size, err)
	}
	if size, err := i.Unpacked(); err != nil || size != 9+12 {
		t.Errorf("unpacked %d, %v, want 21", size, err)
	}
}

func TestNotOneImage(t *testing.T) {
	i := layout(t, "amd64", nil)
	if err := os.WriteFile(filepath.Join(i.Dir, "index.json"), []byte(`{"schemaVersion":2,"manifests":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Merge(t.TempDir(), "1.2.3", []Image{i}); err == nil {
		t.Error("a layout without an image was merged")
	}
}
