package cluster

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/issuer"
)

// Issuer is what an API server says of itself as the issuer of tokens, on its own
// address. Its errors wrap the API server's.
func Issuer(ctx context.Context, client kubernetes.Interface) (issuer.Document, error) {
	body, err := client.Discovery().RESTClient().Get().AbsPath(issuer.DiscoveryPath).Do(ctx).Raw()
	if err != nil {
		return issuer.Document{}, fmt.Errorf("read %s of the API server: %w", issuer.DiscoveryPath, err)
	}
	document, err := issuer.ParseDocument(body)
	if err != nil {
		return issuer.Document{}, fmt.Errorf("the API server's own discovery document: %w", err)
	}
	return document, nil
}

// JWKS is the API server's own key set, as it gives it. Its errors wrap the API server's.
func JWKS(ctx context.Context, client kubernetes.Interface) ([]byte, error) {
	body, err := client.Discovery().RESTClient().Get().AbsPath(issuer.DefaultJWKSPath).Do(ctx).Raw()
	if err != nil {
		return nil, fmt.Errorf("read %s of the API server: %w", issuer.DefaultJWKSPath, err)
	}
	return body, nil
}

// Keys are the public keys by which an API server verifies tokens. Its errors wrap the
// API server's.
func Keys(ctx context.Context, client kubernetes.Interface) (issuer.Keys, error) {
	body, err := JWKS(ctx, client)
	if err != nil {
		return nil, err
	}
	keys, err := issuer.ParseKeys(body)
	if err != nil {
		return nil, fmt.Errorf("the API server's own keys: %w", err)
	}
	return keys, nil
}

// VerifierClient sees an issuer as who verifies its tokens does: by the system's roots, and
// by the CA of a file, which may be empty.
func VerifierClient(caFile string) (*http.Client, error) {
	var ca []byte
	if caFile != "" {
		var err error
		if ca, err = os.ReadFile(caFile); err != nil {
			return nil, fmt.Errorf("--issuer-ca: %w", err)
		}
	}
	client, err := endpoint.NewClient(ca)
	if err != nil {
		return nil, fmt.Errorf("--issuer-ca: %w", err)
	}
	return client, nil
}
