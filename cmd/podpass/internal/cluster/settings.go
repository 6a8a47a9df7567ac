package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/webhook/inject"
)

// Settings are those of the file that was given; else of the installation in the
// cluster; else, where there is none, podpass's defaults. defaults: they are these.
// Without a client the cluster is not asked. Where somebody has no right to
// read the installation's, which must not keep them from the rest, stderr says so.
func (f *Flags) Settings(ctx context.Context, client kubernetes.Interface, stderr io.Writer) (s inject.Settings, defaults bool, err error) {
	if f.SettingsFile != "" || client == nil {
		s, err = manifest.Settings(f.SettingsFile, f.version)
		return s, f.SettingsFile == "", err
	}
	list, err := Find(ctx, client)
	switch {
	case errors.Is(err, ErrNotInstalled):
	case len(list) > 1:
		var where []string
		for _, i := range list {
			where = append(where, i.Namespace+"/"+i.Webhook())
		}
		return s, false, hint.New(fmt.Errorf("the cluster has %d installations of podpass: %s", len(list), strings.Join(where, ", ")), "choose one's settings by --settings")
	case len(list) == 1 && list[0].ConfigMap != nil:
		s, err = list[0].Settings()
		return s, false, err
	case err != nil && !apierrors.IsForbidden(err):
		return s, false, err
	default:
		if err == nil {
			_, err = list[0].Settings()
		}
		fmt.Fprintf(stderr, "warning: the installation's settings could not be read, and podpass's defaults are used: %v; give them by --settings\n", err)
	}
	s, err = manifest.Settings("", f.version)
	return s, true, err
}
