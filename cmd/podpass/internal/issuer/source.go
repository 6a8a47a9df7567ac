package issuer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/federation/issuer"
)

const sourcesHelp = `A source of keys is the cluster that --kubeconfig and --context choose, if none is
named; context:NAME or kubeconfig:FILE, for another; FILE, with public keys or
certificates in PEM, or a JWKS; - for such on standard input.`

// side is what an API server says of itself.
type side struct {
	name     string
	document issuer.Document
	keys     issuer.Keys
}

// read gives the keys of each source, the cluster's where there is none.
func (o *common) read(ctx context.Context, cmd *cobra.Command, sources []string) ([]side, error) {
	if len(sources) == 0 {
		client, _, err := o.cluster.Client("name files with public keys")
		if err != nil {
			return nil, err
		}
		s, err := ask(ctx, client, "cluster")
		return []side{s}, err
	}
	var sides []side
	for _, source := range sources {
		s, err := o.source(ctx, cmd, source)
		if err != nil {
			return nil, err
		}
		sides = append(sides, s)
	}
	return sides, nil
}

func (o *common) source(ctx context.Context, cmd *cobra.Command, source string) (side, error) {
	for _, flag := range []string{"context", "kubeconfig"} {
		name, ok := strings.CutPrefix(source, flag+":")
		if !ok {
			continue
		}
		client, err := o.other(flag, name)
		if err != nil {
			return side{}, fmt.Errorf("%s: %w", source, err)
		}
		return ask(ctx, client, source)
	}
	keys, err := readKeys(cmd.InOrStdin(), source)
	return side{name: source, keys: keys}, err
}

// other is the client of another cluster, by the same flags but for one.
func (o *common) other(flag, value string) (kubernetes.Interface, error) {
	flags, err := o.cluster.With(flag, value)
	if err != nil {
		return nil, err
	}
	client, _, err := flags.Client("name files with public keys")
	return client, err
}

// ask reads what an API server publishes itself.
func ask(ctx context.Context, client kubernetes.Interface, name string) (side, error) {
	s := side{name: name}
	var err error
	if s.document, err = cluster.Issuer(ctx, client); err == nil {
		s.keys, err = cluster.Keys(ctx, client)
	}
	if err == nil {
		return s, nil
	}
	err = fmt.Errorf("%s: %w", name, err)
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		err = hint.New(err, "have somebody bind you to the ClusterRole system:service-account-issuer-discovery")
	}
	return s, err
}

// readKeys reads public keys of a file, or of standard input.
func readKeys(stdin io.Reader, file string) (issuer.Keys, error) {
	content, err := manifest.ReadFile(stdin, file, issuer.MaxSize)
	if err != nil {
		return nil, err
	}
	keys, err := issuer.ParsePublicKeys(content)
	if errors.Is(err, issuer.ErrPrivateKey) {
		return nil, hint.New(fmt.Errorf("%s: %s: %w", codePrivate, file, err), "give the public key alone: openssl pkey -in KEY -pubout, on the control plane")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return keys, nil
}

// together are the keys of all sides.
func together(sides []side) (issuer.Keys, error) {
	var sets []issuer.Keys
	for _, s := range sides {
		sets = append(sets, s.keys)
	}
	keys, err := issuer.Merge(sets...)
	if _, ok := errors.AsType[*issuer.ConflictError](err); ok {
		return nil, hint.New(fmt.Errorf("%s: %w", codeConflict, err), "the clusters cannot share an issuer until one of them has another key: see podpass issuer rotate")
	}
	return keys, err
}

// issuerOf is the issuer of the flag, or that of the only cluster.
func (o *common) issuerOf(sides []side) (string, error) {
	url := o.issuer
	if url == "" && len(sides) == 1 {
		url = sides[0].document.Issuer
	}
	if url == "" {
		return "", hint.New(errors.New("no issuer is named"), "--issuer https://HOST[/PATH], as in the API servers' --service-account-issuer")
	}
	if err := issuer.CheckURL(url); err != nil {
		return "", hint.New(fmt.Errorf("issuer %q is %w", url, err), "clouds take https://HOST[/PATH], and compare it to the letter")
	}
	return url, nil
}

// wanted are the issuer and the keys of the sources, or of the cluster.
func (o *common) wanted(ctx context.Context, cmd *cobra.Command, sources []string) (url string, keys issuer.Keys, err error) {
	sides, err := o.read(ctx, cmd, sources)
	if err != nil {
		return "", nil, err
	}
	if url, err = o.issuerOf(sides); err != nil {
		return "", nil, err
	}
	keys, err = together(sides)
	return url, keys, err
}
