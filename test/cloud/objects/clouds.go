package objects

import (
	"net/http"
	"strings"
)

// Credentials that the stores take.
const (
	AccessKeyID     = "AKIAEXAMPLE"
	SecretAccessKey = "hunter2"
	SessionToken    = "hunter3"
	Bearer          = "hunter4"
	SAS             = "sv=2024&sig=hunter5%3D"
)

// S3 is a bucket of host whose objects begin with path, in a region. That the signature is
// good only a real S3 can tell; that it covers what it must is looked at.
func S3(host, path, region string) *Store {
	return &Store{
		host: host, path: path, condition: entityTag, described: standard, version: "ETag", tagged: true, objects: map[string]Object{},
		unauthorized: func(r *http.Request) string {
			auth := r.Header.Get("Authorization")
			for _, want := range []string{"AWS4-HMAC-SHA256 Credential=" + AccessKeyID + "/", "/" + region + "/s3/aws4_request", "x-amz-content-sha256", "x-amz-security-token"} {
				if !strings.Contains(auth, want) {
					return auth + " lacks " + want
				}
			}
			if r.Method == http.MethodPut && (!strings.Contains(auth, "content-type") || !strings.Contains(auth, "cache-control")) {
				return "what readers get is not signed: " + auth
			}
			return ""
		},
	}
}

// GCS is a bucket of Google Cloud Storage.
func GCS(bucket string) *Store {
	return &Store{
		host: "storage.googleapis.com", path: "/" + bucket + "/", unauthorized: bearer, described: standard, version: "X-Goog-Generation", objects: map[string]Object{},
		condition: func(h http.Header) (string, bool) {
			g := h.Get("X-Goog-If-Generation-Match")
			return g, g == "0"
		},
	}
}

// Azure is a container of the Blob service at host. It takes access tokens; signed: shared
// access signatures alone.
func Azure(host, container string, signed bool) *Store {
	return &Store{
		host: host, path: "/" + container + "/", condition: entityTag, version: "ETag", tagged: true, objects: map[string]Object{},
		described: func(h http.Header) (string, string) {
			return h.Get("X-Ms-Blob-Content-Type"), h.Get("X-Ms-Blob-Cache-Control")
		},
		unauthorized: func(r *http.Request) string {
			switch {
			case r.Header.Get("X-Ms-Version") != "2021-08-06" || r.Header.Get("X-Ms-Date") == "":
				return "no version or date"
			case r.Method == http.MethodPut && r.Header.Get("X-Ms-Blob-Type") != "BlockBlob":
				return "no blob type"
			case !signed:
				return bearer(r)
			case r.URL.RawQuery != SAS || r.Header.Get("Authorization") != "":
				return "no signature"
			}
			return ""
		},
	}
}

func bearer(r *http.Request) string {
	if r.Header.Get("Authorization") != "Bearer "+Bearer {
		return "no token"
	}
	return ""
}

// entityTag is never satisfied by a request that has both conditions.
func entityTag(h http.Header) (version string, absent bool) {
	_, both := h["If-Match"]
	return h.Get("If-Match"), h.Get("If-None-Match") == "*" && !both
}

func standard(h http.Header) (contentType, cacheControl string) {
	return h.Get("Content-Type"), h.Get("Cache-Control")
}
