package pods

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// review is one call of podpass: the patch as JSON, nil for none, and the problems.
type review func(c Case, pod []byte) (patch []byte, denied, warnings []string, err error)

// admit is what an API server does around reviews: it applies the patch, and, if
// another webhook then changed the pod, asks again.
func (c Case) admit(ask review) (Outcome, error) {
	pod, err := c.PodJSON()
	if err != nil {
		return Outcome{}, err
	}
	var o Outcome
	if o.Before, err = c.AddOthers(pod); err != nil {
		return Outcome{}, err
	}
	calls := 1
	if !c.OtherWebhook.IsZero() {
		calls = 2
	}
	for call := range calls {
		asked := c
		if call > 0 {
			asked = c.again()
		}
		patch, denied, warnings, err := ask(asked, pod)
		if err != nil {
			return Outcome{}, err
		}
		for _, w := range warnings {
			if !slices.Contains(o.Warnings, w) { // a client sees each once
				o.Warnings = append(o.Warnings, w)
			}
		}
		if len(denied) > 0 {
			o.Denied = denied
			return o, nil
		}
		if pod, err = apply(pod, patch); err != nil {
			return Outcome{}, err
		}
		if call == 0 {
			if pod, err = c.AddOthers(pod); err != nil {
				return Outcome{}, err
			}
		}
	}
	o.After = pod
	return o, nil
}

func apply(pod, patch []byte) ([]byte, error) {
	if patch == nil {
		return pod, nil
	}
	p, err := jsonpatch.DecodePatch(patch)
	if err != nil {
		return nil, err
	}
	return p.Apply(pod)
}

// admitByPlanner is admission without a webhook or a cluster.
func admitByPlanner(_ context.Context, c Case) (Outcome, error) {
	return c.admit(func(c Case, pod []byte) (patch []byte, denied, warnings []string, err error) {
		s, err := c.InjectSettings()
		if err != nil {
			return nil, nil, nil, err
		}
		around, err := c.Around()
		if err != nil {
			return nil, nil, nil, err
		}
		p, err := inject.Decode(pod)
		if err != nil {
			return nil, nil, nil, err
		}
		p.Around = around
		req := p.Request()
		req.Annotations, req.Labels = c.ServiceAccount.Annotations, c.ServiceAccount.Labels
		r, err := inject.Plan(p, serviceaccount.Resolve(req, s.Installation), s)
		if err != nil {
			return nil, nil, nil, err
		}
		return r.Patch, texts(r.Errors), texts(r.Warnings), nil
	})
}

func texts(problems []serviceaccount.Problem) []string {
	var list []string
	for _, p := range problems {
		list = append(list, p.String())
	}
	return list
}

// admitByHandler is admission by AdmissionReviews over HTTP.
func admitByHandler(ctx context.Context, c Case) (Outcome, error) {
	return c.admit(func(c Case, pod []byte) (patch []byte, denied, warnings []string, err error) {
		h, err := c.handler(theAccount{c})
		if err != nil {
			return nil, nil, nil, err
		}
		around, err := c.Around()
		if err != nil {
			return nil, nil, nil, err
		}
		h.Cluster = theCluster(around)
		body, err := json.Marshal(map[string]any{
			"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
			"request": map[string]any{
				"uid": "u-1", "kind": map[string]string{"group": "", "version": "v1", "kind": "Pod"},
				"namespace": c.PodNamespace(), "operation": "CREATE", "object": json.RawMessage(pod),
			},
		})
		if err != nil {
			return nil, nil, nil, err
		}
		req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/mutate", bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != http.StatusOK {
			return nil, nil, nil, fmt.Errorf("%d: %s", w.Code, w.Body)
		}
		var answer struct {
			Response struct {
				Allowed bool `json:"allowed"`
				Status  struct {
					Message string `json:"message"`
				} `json:"status"`
				Patch    []byte   `json:"patch"`
				Warnings []string `json:"warnings"`
			} `json:"response"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			return nil, nil, nil, err
		}
		r := answer.Response
		if !r.Allowed {
			denied = problems(r.Status.Message)
		}
		return r.Patch, denied, ownWarnings(r.Warnings), nil
	})
}

// handler is the webhook's, with the case's settings.
func (c Case) handler(accounts webhook.ServiceAccounts) (*webhook.PodHandler, error) {
	s, err := c.InjectSettings()
	return &webhook.PodHandler{
		ServiceAccounts: accounts, Settings: inject.Fixed(s), Room: webhook.NewRoom(0),
		Metrics: webhook.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
	}, err
}

// theCluster is the case's, in each namespace.
type theCluster inject.Around

func (c theCluster) Around(string) inject.Around { return inject.Around(c) }

// theAccount knows the case's ServiceAccount.
type theAccount struct{ c Case }

func (a theAccount) Get(_ context.Context, namespace, name string) (sastore.Record, error) {
	if namespace != a.c.PodNamespace() || name != a.c.AccountName() {
		return sastore.Record{}, sastore.ErrNotFound
	}
	return sastore.Record{Annotations: a.c.ServiceAccount.Annotations, Labels: a.c.ServiceAccount.Labels}, nil
}

func (a theAccount) GetLive(ctx context.Context, namespace, name string) (sastore.Record, error) {
	return a.Get(ctx, namespace, name)
}

var startOfProblem = regexp.MustCompile(`(?:^|; )(WI\d{3}: )`)

// problems takes a denial apart.
func problems(denial string) []string {
	_, text, ok := strings.Cut(denial, "podpass: ")
	if !ok {
		return []string{denial}
	}
	var list []string
	starts := startOfProblem.FindAllStringSubmatchIndex(text, -1)
	for i, s := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		list = append(list, text[s[2]:end])
	}
	return list
}

// ownWarnings are podpass's among those that a client gets.
func ownWarnings(all []string) []string {
	var own []string
	for _, w := range all {
		if text, ok := strings.CutPrefix(w, "podpass: "); ok {
			own = append(own, text)
		}
	}
	return own
}
