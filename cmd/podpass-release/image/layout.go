package image

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass-release/linked"
)

// Media types of the OCI image specification.
const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
)

// descriptor, index and manifest are what is needed here of the specification's types.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType,omitempty"`
	Manifests     []descriptor `json:"manifests"`
}

type manifest struct {
	Config descriptor   `json:"config"`
	Layers []descriptor `json:"layers"`
}

// Image is the image of one platform, in an OCI layout of its own.
type Image struct {
	Dir      string
	Platform linked.Platform
}

// Merge makes one layout of the images of several platforms, in the directory to. It
// gives the digest under which a registry will have them.
func Merge(to, version string, images []Image) (digest string, err error) {
	blobs := filepath.Join(to, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return "", err
	}
	all := index{SchemaVersion: 2, MediaType: indexType}
	for _, i := range images {
		d, err := i.descriptor()
		if err != nil {
			return "", err
		}
		all.Manifests = append(all.Manifests, d)
		if err := copyBlobs(filepath.Join(i.Dir, "blobs", "sha256"), blobs); err != nil {
			return "", fmt.Errorf("copy the image of %s: %w", i.Platform, err)
		}
	}
	body, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	digest = "sha256:" + hex.EncodeToString(sum[:])
	top, err := json.Marshal(index{SchemaVersion: 2, Manifests: []descriptor{{
		MediaType: indexType, Digest: digest, Size: int64(len(body)),
		Annotations: map[string]string{"org.opencontainers.image.ref.name": version},
	}}})
	if err != nil {
		return "", err
	}
	return digest, errors.Join(
		os.WriteFile(filepath.Join(blobs, hex.EncodeToString(sum[:])), body, 0o644),
		os.WriteFile(filepath.Join(to, "index.json"), top, 0o644),
		os.WriteFile(filepath.Join(to, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644),
	)
}

// copyBlobs passes over what is there: two platforms may share a layer.
func copyBlobs(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		err := os.Link(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
		if err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

func (i Image) descriptor() (descriptor, error) {
	var top index
	if err := readJSON(filepath.Join(i.Dir, "index.json"), &top); err != nil {
		return descriptor{}, err
	}
	if len(top.Manifests) != 1 || top.Manifests[0].MediaType != manifestType {
		return descriptor{}, fmt.Errorf("the layout in %s is not that of one image", i.Dir)
	}
	d := top.Manifests[0]
	d.Annotations = nil
	d.Platform = &platform{Architecture: i.Platform.Arch, OS: i.Platform.OS}
	return d, nil
}

// Size is what a node pulls, in bytes: the layers as they are compressed.
func (i Image) Size() (int64, error) {
	m, err := i.manifest()
	var size int64
	for _, l := range m.Layers {
		size += l.Size
	}
	return size, err
}

// Unpacked is what it takes on a node's disk, in bytes: its files.
func (i Image) Unpacked() (int64, error) {
	var size int64
	err := i.Files(func(h *tar.Header, _ io.Reader) error {
		size += h.Size
		return nil
	})
	return size, err
}

// Files calls do for each regular file of the image. The images are from scratch, and no
// layer takes anything away again.
func (i Image) Files(do func(header *tar.Header, body io.Reader) error) error {
	m, err := i.manifest()
	if err != nil {
		return err
	}
	for _, l := range m.Layers {
		if err := files(i.blob(l.Digest), do); err != nil {
			return fmt.Errorf("layer %s: %w", l.Digest, err)
		}
	}
	return nil
}

func files(path string, do func(*tar.Header, io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := do(h, t); err != nil {
			return err
		}
	}
}

func (i Image) manifest() (m manifest, err error) {
	d, err := i.descriptor()
	if err != nil {
		return m, err
	}
	return m, readJSON(i.blob(d.Digest), &m)
}

func (i Image) blob(digest string) string {
	return filepath.Join(i.Dir, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
}

func readJSON(path string, into any) error {
	body, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
