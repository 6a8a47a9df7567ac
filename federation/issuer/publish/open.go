package publish

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Open gives the place of a name:
//
//	DIRECTORY or file:DIRECTORY
//	s3://BUCKET[/PREFIX][?region=REGION&endpoint=https://HOST]
//	gs://BUCKET[/PREFIX]
//	az://ACCOUNT/CONTAINER[/PREFIX][?suffix=blob.core.chinacloudapi.cn]
//
// endpoint is for what speaks S3's protocol elsewhere, as MinIO does. What is published below
// the issuer at /PATH is the object PREFIX/PATH.
func Open(name string, client *http.Client, c Credentials) (Place, error) {
	u, err := url.Parse(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a place: want a directory, s3://, gs:// or az://", name)
	}
	if u.User != nil || u.Fragment != "" {
		return nil, errors.New("a place has no credentials in its name: they come from the environment")
	}
	prefix := strings.Trim(u.Path, "/")
	switch u.Scheme {
	case "", "file":
		return openFolder(strings.TrimPrefix(name, "file:"))
	case "s3":
		return openS3(u, prefix, client, c)
	case "gs":
		return openGCS(u, prefix, client, c)
	case "az":
		return openAzure(u, prefix, client, c)
	}
	return nil, fmt.Errorf("%q is not a place: want a directory, s3://, gs:// or az://", name)
}

// options are the query of a place's name; one that is not known is an error, since a
// misspelt one would be ignored.
func options(u *url.URL, known ...string) (map[string]string, error) {
	got := map[string]string{}
	for name, values := range u.Query() {
		i := 0
		for i < len(known) && known[i] != name {
			i++
		}
		if i == len(known) || len(values) != 1 {
			return nil, fmt.Errorf("%s://%s has no option %q: want %s", u.Scheme, u.Host, name, strings.Join(known, " or "))
		}
		got[name] = values[0]
	}
	return got, nil
}

func object(prefix, path string) string { return strings.TrimPrefix(prefix+path, "/") }
