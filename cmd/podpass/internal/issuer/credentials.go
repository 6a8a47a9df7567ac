package issuer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/issuer/publish"
)

const placesHelp = `A place is a DIRECTORY, s3://BUCKET[/PREFIX][?region=REGION], gs://BUCKET[/PREFIX] or
az://ACCOUNT/CONTAINER[/PREFIX]. MinIO and others that speak S3's protocol are
s3://BUCKET?endpoint=https://HOST.

Credentials come from the environment, never from a flag: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION; GOOGLE_OAUTH_ACCESS_TOKEN;
AZURE_STORAGE_SAS_TOKEN. With --token-stdin an access token for Google or Azure is read
from standard input.`

// placeOptions say where an issuer is published.
type placeOptions struct {
	to         string
	storeCA    string
	tokenStdin bool
}

func (o *placeOptions) add(f *pflag.FlagSet) {
	f.StringVar(&o.to, "to", "", "`place` where the two documents are published")
	f.StringVar(&o.storeCA, "store-ca", "", "`file` with the CA of an object store of your own, as MinIO's")
	f.BoolVar(&o.tokenStdin, "token-stdin", false, "read an access token for the object store from standard input")
}

// open gives the place of a name.
func (o *placeOptions) open(cmd *cobra.Command, name string) (publish.Place, error) {
	if name == "" {
		return nil, hint.New(errors.New("no place is named"), "--to DIRECTORY, s3://BUCKET, gs://BUCKET or az://ACCOUNT/CONTAINER")
	}
	var ca []byte
	if o.storeCA != "" {
		var err error
		if ca, err = os.ReadFile(o.storeCA); err != nil {
			return nil, fmt.Errorf("--store-ca: %w", err)
		}
	}
	client, err := endpoint.NewClient(ca)
	if err != nil {
		return nil, fmt.Errorf("--store-ca: %w", err)
	}
	c := publish.Credentials{
		AWSAccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), AWSSecretAccessKey: federation.Secret(os.Getenv("AWS_SECRET_ACCESS_KEY")),
		AWSSessionToken: federation.Secret(os.Getenv("AWS_SESSION_TOKEN")), AWSRegion: os.Getenv("AWS_REGION"),
		Bearer: federation.Secret(os.Getenv("GOOGLE_OAUTH_ACCESS_TOKEN")), AzureSAS: federation.Secret(os.Getenv("AZURE_STORAGE_SAS_TOKEN")),
	}
	if len(name) > 3 && name[:3] == "az:" {
		c.Bearer = "" // Google's is none for Azure
	}
	if o.tokenStdin {
		if c.Bearer, err = readToken(cmd.InOrStdin()); err != nil {
			return nil, err
		}
	}
	return open(name, client, c)
}

func open(name string, client *http.Client, c publish.Credentials) (publish.Place, error) {
	place, err := publish.Open(name, client, c)
	if err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	return place, nil
}

// maxToken of an access token, in bytes: Google's are below 2 KiB, Entra's below 4.
const maxToken = 16 << 10

// readToken reads an access token, which is one word; its error does not quote it.
func readToken(r io.Reader) (federation.Secret, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxToken+1))
	raw = bytes.TrimSpace(raw)
	switch {
	case err != nil:
		return "", fmt.Errorf("--token-stdin: %w", err)
	case len(raw) == 0 || len(raw) > maxToken || len(bytes.Fields(raw)) != 1:
		return "", hint.New(errors.New("--token-stdin: want one access token on standard input"), "gcloud auth print-access-token | podpass issuer ... --token-stdin")
	}
	return federation.Secret(raw), nil
}
