package publish

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// openGCS speaks Google Cloud Storage's XML API, whose objects are named by their path and
// versioned by a generation.
func openGCS(u *url.URL, prefix string, client *http.Client, c Credentials) (Place, error) {
	if _, err := options(u); err != nil {
		return nil, err
	}
	if !bucketName.MatchString(strings.ReplaceAll(u.Host, "_", "-")) {
		return nil, fmt.Errorf("%q is not the name of a bucket", u.Host)
	}
	if c.Bearer == "" {
		return nil, errors.New("no access token for Google Cloud Storage: set GOOGLE_OAUTH_ACCESS_TOKEN, or give it on standard input with --token-stdin")
	}
	return &store{
		name: "gs://" + strings.TrimSuffix(u.Host+"/"+prefix, "/"), prefix: prefix, client: client,
		url:     func(object string) string { return "https://storage.googleapis.com/" + u.Host + "/" + escape(object) },
		version: func(h http.Header) string { return h.Get("X-Goog-Generation") },
		only: func(h http.Header, had Version) {
			h.Set("X-Goog-If-Generation-Match", cmp.Or(string(had), "0")) // 0: there is none
		},
		describe: standard,
		authorize: func(r *http.Request, _ []byte) error {
			r.Header.Set("Authorization", "Bearer "+c.Bearer.Reveal())
			return nil
		},
	}, nil
}
