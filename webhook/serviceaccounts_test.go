package webhook

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/podpass-io/podpass/webhook/inject"
)

func accountReview(operation, annotations, oldAnnotations string) string {
	object := func(a string) string { return `{"metadata":{"name":"orders","annotations":{` + a + `}}}` }
	old := "null"
	if operation == "UPDATE" {
		old = object(oldAnnotations)
	}
	return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":"ServiceAccount"},
"namespace":"shop","operation":"` + operation + `","object":` + object(annotations) + `,"oldObject":` + old + `}}`
}

// TestCheckedWithoutTheLabel: an installation that serves no pod without Azure's label
// still says what is wrong with the ServiceAccount.
func TestCheckedWithoutTheLabel(t *testing.T) {
	pods, _ := newHandler(t, nil)
	settings := pods.Settings()
	settings.Azure.RequireUseLabel = true
	h := &ServiceAccountHandler{
		Settings: inject.Fixed(settings), Deny: true, Room: NewRoom(0),
		Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
	}
	r := decode(t, post(t, h, accountReview("CREATE", `"azure.workload.identity/client-id":"orders"`, ""), "application/json"))
	if r.Allowed || !strings.Contains(r.Result.Message, "WI020") {
		t.Errorf("allowed %t, %+v", r.Allowed, r.Result)
	}
}

func TestServiceAccountsAreChecked(t *testing.T) {
	const (
		good      = `"eks.amazonaws.com/role-arn":"arn:aws:iam::111122223333:role/orders"`
		malformed = `"eks.amazonaws.com/role-arn":"orders"`
		misspelt  = `"eks.amazonaws.com/role-arm":"arn:aws:iam::111122223333:role/orders"`
	)
	for name, test := range map[string]struct {
		body    string
		deny    bool
		allowed bool
		outcome string
		says    []string
	}{
		"good":                          {accountReview("CREATE", good, ""), true, true, "accepted", nil},
		"nothing asked":                 {accountReview("CREATE", `"a":"b"`, ""), true, true, "accepted", nil},
		"malformed, warned":             {accountReview("CREATE", malformed, ""), false, true, "warned", []string{"pods that use this ServiceAccount will be denied: podpass: WI001", "fix: "}},
		"malformed, denied":             {accountReview("CREATE", malformed, ""), true, false, "denied", []string{"podpass: WI001", "fix: "}},
		"misspelt":                      {accountReview("CREATE", misspelt, ""), true, true, "warned", []string{"podpass: WI034", "did you mean eks.amazonaws.com/role-arn?"}},
		"becomes malformed":             {accountReview("UPDATE", malformed, good), true, false, "denied", []string{"WI001"}},
		"was malformed, and stays so":   {accountReview("UPDATE", malformed, malformed), true, true, "accepted", nil},
		"malformed and changes further": {accountReview("UPDATE", malformed+`,"eks.amazonaws.com/audience":"x"`, malformed), true, false, "denied", []string{"WI001"}},
		"malformed, with a warning":     {accountReview("CREATE", malformed+","+misspelt, ""), true, false, "denied", []string{"podpass: WI001", "podpass: WI034"}},
		"no old object at all":          {strings.Replace(accountReview("CREATE", good, ""), `,"oldObject":null`, "", 1), true, true, "accepted", nil},
		"a finalizer of a bad one":      {strings.ReplaceAll(accountReview("UPDATE", malformed, malformed), `{"metadata":{"name"`, `{"metadata":{"finalizers":["x"],"name"`), true, true, "accepted", nil},
	} {
		t.Run(name, func(t *testing.T) {
			pods, _ := newHandler(t, nil)
			var log bytes.Buffer
			h := &ServiceAccountHandler{
				Settings: pods.Settings, Deny: test.deny, Room: NewRoom(0),
				Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.NewTextHandler(&log, nil)),
			}
			r := decode(t, post(t, h, test.body, "application/json"))
			if got := testutil.ToFloat64(h.Metrics.accounts.WithLabelValues(test.outcome)); got != 1 {
				t.Errorf("%v counted as %s", got, test.outcome)
			}
			logged := `msg="Reviewed ServiceAccount" namespace=shop serviceAccount=orders outcome=` + test.outcome
			if strings.Contains(log.String(), logged) != (test.outcome != "accepted") || test.outcome == "accepted" && log.Len() > 0 {
				t.Errorf("log: %s", &log)
			}
			said := strings.Join(r.Warnings, "\n")
			if r.Result != nil {
				said += r.Result.Message
			}
			if r.Allowed != test.allowed || (len(test.says) == 0) != (said == "") {
				t.Errorf("allowed %t, said %q", r.Allowed, said)
			}
			for _, want := range test.says {
				if !strings.Contains(said, want) {
					t.Errorf("does not say %q: %s", want, said)
				}
			}
		})
	}
}

func TestServiceAccountHandlerRefusesOthers(t *testing.T) {
	h := &ServiceAccountHandler{Room: NewRoom(0), Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler)}
	for name, body := range map[string]string{
		"a pod":      reviewOf(podOf("orders", "")),
		"no object":  strings.Replace(accountReview("CREATE", "", ""), `{"metadata":{"name":"orders","annotations":{}}}`, `"x"`, 1),
		"no old one": strings.Replace(accountReview("UPDATE", "", ""), `"oldObject":{"metadata":{"name":"orders","annotations":{}}}`, `"oldObject":"x"`, 1),
		"not JSON":   "{",
	} {
		t.Run(name, func(t *testing.T) {
			if w := post(t, h, body, "application/json"); w.Code != 400 {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
	}
}

// TestUpdateOfLabelsAlone: a client ID may be a label.
func TestUpdateOfLabelsAlone(t *testing.T) {
	pods, _ := newHandler(t, nil)
	h := &ServiceAccountHandler{Settings: pods.Settings, Room: NewRoom(0), Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler)}
	body := strings.Replace(accountReview("UPDATE", "", ""), `"annotations":{}`, `"labels":{"azure.workload.identity/client-id":"x"}`, 1)
	if r := decode(t, post(t, h, body, "application/json")); len(r.Warnings) == 0 || r.AuditAnnotations["warned"] == "" {
		t.Errorf("warnings %q, audit annotations %v", r.Warnings, r.AuditAnnotations)
	}
}
