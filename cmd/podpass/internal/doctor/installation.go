package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/federation/finding"
)

// installation looks at podpass itself, and takes its settings.
func (r *run) installation(ctx context.Context) ([]found, error) {
	r.Say("looking at the installation")
	list, err := cluster.Find(ctx, r.client)
	var out []found
	switch {
	case errors.Is(err, cluster.ErrNotInstalled):
		return one(finding.Finding{
			Code: codeNotInstalled, Severity: finding.Error, Where: "the cluster", Message: "podpass is not installed: nothing has the chart's label " + cluster.Label,
			Fix: "install the chart", Command: "kubectl get mutatingwebhookconfigurations,configmaps --all-namespaces --selector " + cluster.Label,
		}), nil
	case apierrors.IsForbidden(err):
		out = append(out, forbidden(err, "list", "configmaps", namespaceOf(list), r.unlessGiven()...))
	case err != nil:
		return nil, err
	}
	r.installations = list
	if len(list) > 1 {
		out = append(out, found{Finding: several(list)})
	}
	if len(list) == 0 {
		return out, nil
	}
	i := list[0]
	if r.Settings == nil && err == nil {
		out = append(out, r.readSettings(i)...)
	}
	for _, look := range []func(context.Context, cluster.Installation) ([]found, error){r.registration, r.webhooks, r.otherWebhooks} {
		more, err := look(ctx, i)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// unlessGiven are the checks that need the installation's settings.
func (r *run) unlessGiven() []string {
	if r.Settings != nil {
		return nil
	}
	return ofIdentities
}

func namespaceOf(list []cluster.Installation) string {
	if len(list) == 0 {
		return ""
	}
	return list[0].Namespace
}

func several(list []cluster.Installation) finding.Finding {
	var where []string
	for _, i := range list {
		where = append(where, i.Namespace+"/"+i.Name)
	}
	return finding.Finding{
		Code: codeSeveral, Severity: finding.Error, Where: "the cluster", Message: "podpass is installed more than once: each changes the pods that another has changed",
		Expected: "one", Seen: strings.Join(where, ", "), Fix: "uninstall all but one, or keep them apart by excludedNamespaces",
		Command: "kubectl get mutatingwebhookconfigurations --selector " + cluster.Label,
	}
}

// readSettings takes those of the cluster.
func (r *run) readSettings(i cluster.Installation) []found {
	const selector = "podpass.io/settings=current"
	where := "ConfigMap " + i.Namespace + "/" + i.Webhook() + " of the settings"
	command := fmt.Sprintf("kubectl get configmap -n %s -l %s -o yaml", i.Namespace, selector)
	if i.ConfigMap != nil {
		where = "ConfigMap " + i.Namespace + "/" + i.ConfigMap.Name
		command = fmt.Sprintf("kubectl get configmap -n %s %s -o yaml", i.Namespace, i.ConfigMap.Name)
	}
	if i.ConfigMap == nil {
		return one(finding.Finding{
			Code: codeNoSettings, Severity: finding.Error, Where: where, Message: "the webhook's settings are not there: its replicas cannot start again",
			Fix: "upgrade the chart's release, which writes it, or give the settings by --settings", Command: command,
		})
	}
	s, err := i.Settings()
	if err != nil {
		return one(finding.Finding{
			Code: codeBadSettings, Severity: finding.Error, Where: where, Message: "the webhook's settings cannot be read: it goes on with the former ones, and cannot start again",
			Seen: err.Error(), Fix: "correct the chart's values, and upgrade the release", Command: command,
		})
	}
	r.settings = s
	return nil
}
