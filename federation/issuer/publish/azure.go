package publish

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

var (
	accountName   = regexp.MustCompile(`^[a-z0-9]{3,24}$`)
	containerName = regexp.MustCompile(`^(\$web|[a-z0-9](-?[a-z0-9]){2,62})$`)
	// blobSuffixes are the hosts to which credentials may go.
	blobSuffixes = regexp.MustCompile(`^blob\.(core\.windows\.net|core\.chinacloudapi\.cn|core\.usgovcloudapi\.net)$`)
)

// azureVersion of the Blob service's protocol: the first with all that is used, bearer
// tokens and conditions.
const azureVersion = "2021-08-06"

func openAzure(u *url.URL, prefix string, client *http.Client, c Credentials) (Place, error) {
	opts, err := options(u, "suffix")
	if err != nil {
		return nil, err
	}
	container, prefix, _ := strings.Cut(prefix, "/")
	suffix := cmp.Or(opts["suffix"], "blob.core.windows.net")
	switch {
	case !accountName.MatchString(u.Host):
		return nil, fmt.Errorf("%q is not the name of a storage account", u.Host)
	case !containerName.MatchString(container):
		return nil, fmt.Errorf("%q is not the name of a container: want az://ACCOUNT/CONTAINER", container)
	case !blobSuffixes.MatchString(suffix):
		return nil, fmt.Errorf("suffix %q is not one of Azure's", suffix)
	case c.Bearer == "" && c.AzureSAS == "":
		return nil, errors.New("no credentials for Azure Blob Storage: set AZURE_STORAGE_SAS_TOKEN, or give an access token on standard input with --token-stdin")
	}
	return &store{
		name: "az://" + strings.TrimSuffix(u.Host+"/"+container+"/"+prefix, "/"), prefix: prefix, client: client,
		url: func(object string) string {
			return "https://" + u.Host + "." + suffix + "/" + container + "/" + escape(object)
		},
		version: func(h http.Header) string { return h.Get("ETag") }, only: whole,
		describe: func(h http.Header, o Object) {
			h.Set("X-Ms-Blob-Type", "BlockBlob")
			h.Set("X-Ms-Blob-Content-Type", o.ContentType)
			h.Set("X-Ms-Blob-Cache-Control", o.CacheControl)
		},
		authorize: func(r *http.Request, _ []byte) error {
			r.Header.Set("X-Ms-Version", azureVersion)
			r.Header.Set("X-Ms-Date", time.Now().UTC().Format(http.TimeFormat))
			if c.Bearer != "" {
				r.Header.Set("Authorization", "Bearer "+c.Bearer.Reveal())
				return nil
			}
			r.URL.RawQuery = strings.TrimPrefix(c.AzureSAS.Reveal(), "?")
			return nil
		},
	}, nil
}
