package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// account is a ServiceAccount that is looked at.
type account struct {
	*subject
	namespace, name     string
	annotations, labels map[string]string
	// missing: it does not exist.
	missing bool
	// unread is that it may not be read.
	unread error
	// noted is when somebody last wrote an annotation that names an identity; zero: unknown.
	noted time.Time
	// answer is what any pod of it may ask for.
	answer serviceaccount.Answer
}

func (a *account) String() string { return a.namespace + "/" + a.name }

func (a *account) where() string { return "ServiceAccount " + a.String() }

// take sets what is read of the object.
func (r *run) take(m *metav1.ObjectMeta) *account {
	a := &account{namespace: m.Namespace, name: m.Name, annotations: m.Annotations, labels: m.Labels}
	a.answer = serviceaccount.Resolve(serviceaccount.Request{
		Namespace: a.namespace, Name: a.name, Annotations: a.annotations, Labels: a.labels, AnyPod: true,
	}, r.settings.Installation)
	a.noted = noted(m.ManagedFields, sources(a.answer))
	return a
}

// sources are the annotations that name the identities of an answer.
func sources(a serviceaccount.Answer) map[string]bool {
	keys := map[string]bool{}
	for _, g := range grants(a) {
		keys[g.Source] = true
	}
	return keys
}

// grants of an answer, by cloud.
func grants(a serviceaccount.Answer) map[string]serviceaccount.Grant {
	m := map[string]serviceaccount.Grant{}
	if a.AWS != nil {
		m["aws"] = a.AWS.Grant
	}
	if a.GCP != nil {
		m["gcp"] = a.GCP.Grant
	}
	if a.Azure != nil {
		m["azure"] = a.Azure.Grant
	}
	if a.OIDC != nil {
		m["oidc"] = a.OIDC.Grant
	}
	if a.Kube != nil {
		m["kube"] = a.Kube.Grant
	}
	return m
}

// eachServiceAccount takes those of a fleet that ask for an identity, or mean to.
func (r *run) eachServiceAccount(ctx context.Context, namespace string) error {
	return cluster.EachMetadata(ctx, r.config, cluster.ServiceAccounts, namespace, metav1.ListOptions{}, func(m *metav1.PartialObjectMetadata) error {
		if a := r.take(&m.ObjectMeta); !a.answer.Empty() || len(a.answer.Errors) > 0 {
			r.accounts[a.String()] = a
		}
		return nil
	})
}

// addAccount takes one that was named, or is a named pod's.
func (r *run) addAccount(ctx context.Context, namespace, name string) error {
	if _, ok := r.accounts[namespace+"/"+name]; ok {
		return nil
	}
	sa, err := r.client.CoreV1().ServiceAccounts(namespace).Get(ctx, name, metav1.GetOptions{})
	a := &account{namespace: namespace, name: name}
	switch {
	case apierrors.IsNotFound(err):
		a.missing = true
	case apierrors.IsForbidden(err):
		a.unread = err
	case err != nil:
		return fmt.Errorf("read %s: %w", a.where(), err)
	default:
		a = r.take(&sa.ObjectMeta)
	}
	r.accounts[a.String()] = a
	return nil
}

// noted is when one of the annotations was last written, as the API server keeps it for
// each writer (managedFields). Of an object that was created with nothing in it, as by
// kubectl create serviceaccount, it keeps no record, ever.
func noted(writers []metav1.ManagedFieldsEntry, annotations map[string]bool) (last time.Time) {
	for _, w := range writers {
		if w.Time == nil || w.FieldsV1 == nil || !w.Time.After(last) {
			continue
		}
		var owned struct {
			Metadata struct {
				Annotations map[string]json.RawMessage `json:"f:annotations"`
			} `json:"f:metadata"`
		}
		if json.Unmarshal(w.FieldsV1.GetRawBytes(), &owned) != nil {
			continue // only a time is lost by it
		}
		for key := range owned.Metadata.Annotations {
			if annotations[strings.TrimPrefix(key, "f:")] {
				last = w.Time.Time
			}
		}
	}
	return last
}

// parallel bounds how many ServiceAccounts are looked at together.
const parallel = 8

// eachAccount runs the checks of ServiceAccounts.
func (r *run) eachAccount(ctx context.Context) error {
	names := slices.Sorted(maps.Keys(r.accounts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, name := range names {
		a := r.accounts[name]
		a.subject = r.all.of("")
		group.Go(func() error {
			r.Say("looking at ServiceAccounts: %d of %d", i+1, len(names))
			if err := r.check(ctx, a.subject, checkAccount, func(context.Context) ([]found, error) { return r.account(a), nil }); err != nil {
				return err
			}
			if r.Admission {
				if err := r.check(ctx, a.subject, checkAdmission, func(ctx context.Context) ([]found, error) { return r.admission(ctx, a) }); err != nil {
					return err
				}
			}
			if r.Closely() {
				if err := r.check(ctx, a.subject, checkToken, func(ctx context.Context) ([]found, error) { return r.token(ctx, a) }); err != nil {
					return err
				}
			}
			if r.Exchange {
				if err := r.check(ctx, a.subject, checkExchange, func(ctx context.Context) ([]found, error) { return r.exchange(ctx, a) }); err != nil {
					return err
				}
			}
			if r.Trust != nil {
				return r.check(ctx, a.subject, checkTrust, func(ctx context.Context) ([]found, error) { return r.trusted(ctx, a) })
			}
			return nil
		})
	}
	return group.Wait()
}

// account says what the webhook will say of its annotations.
func (r *run) account(a *account) []found {
	get := fmt.Sprintf("kubectl get serviceaccount -n %s %s -o yaml", a.namespace, a.name)
	switch {
	case a.unread != nil:
		return []found{forbidden(a.unread, "get", "serviceaccounts", a.namespace, later(checkAccount)...)}
	case a.missing:
		return one(finding.Finding{
			Code: codeNoAccount, Severity: finding.Error, Where: a.where(), Message: "it does not exist", Fix: "create it, or correct serviceAccountName or the namespace",
			Command: "kubectl get serviceaccounts -n " + a.namespace,
		})
	}
	out := problems(a.answer.Errors, finding.Error, get)
	for i := range out {
		out[i].stops = later(checkAccount)
	}
	out = append(out, problems(a.answer.Warnings, finding.Warning, get)...)
	if a.answer.Empty() && len(a.answer.Errors) == 0 {
		out = append(out, one(finding.Finding{
			Code: codeAsksNothing, Severity: finding.Error, Where: a.where(), Message: "it asks for no identity, so that its pods get none",
			Fix:     "annotate it, for example with " + serviceaccount.KeyEKSRoleARN + ", " + serviceaccount.KeyGCPServiceAccount + " or " + serviceaccount.KeyAzureWIClientID,
			Command: get,
		})...)
	}
	return out
}

// problems are the webhook's, with their own codes.
func problems(list []serviceaccount.Problem, severity finding.Severity, command string) []found {
	var out []found
	for _, p := range list {
		out = append(out, one(finding.Finding{Code: p.Code, Severity: severity, Where: p.Where, Message: p.Message, Seen: p.Value, Fix: p.Fix, Command: command})...)
	}
	return out
}
