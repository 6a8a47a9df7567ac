package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass/internal/doctor"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/federation/finding"
)

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := write(&b, &doctor.Survey{
		Accounts: 9, Clouds: map[string]int{"gcp": 2, "aws": 8, "azure": 0}, Pods: 40, Modes: map[string]int{"broker": 38, "direct": 1}, Uninjected: 1, StaticKeys: 3,
		Cluster: []report.Finding{{Finding: finding.Finding{Code: "WI129", Where: "Deployment x/y", Message: "a replica is down"}}},
	}, "table"); err != nil {
		t.Fatal(err)
	}
	const want = `COUNT  WHAT                                             MORE
9      ServiceAccounts with an identity                 aws 8, gcp 2
40     pods of theirs                                   broker 38, direct 1
1      pods without the identity that they should have  podpass doctor -A
3      pods with static keys in the way                 podpass doctor -A
WI129: Deployment x/y: a replica is down
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	b.Reset()
	if err := write(&b, &doctor.Survey{Pods: 2}, "json"); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || got["pods"] != 2.0 {
		t.Errorf("%v, %v", got, err)
	}
}

// TestWatch: what has changed is shown, a look that fails in between is not the end, and
// whoever watches ends it.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
		defer cancel()
		looks := 0
		var shown []int
		err := watch(ctx, func(context.Context) (*doctor.Survey, error) {
			looks++
			if looks == 3 {
				return nil, errors.New("the API server restarts")
			}
			return &doctor.Survey{Pods: min(looks, 4)}, nil
		}, func(s *doctor.Survey) error {
			shown = append(shown, s.Pods)
			return nil
		})
		if err != nil || looks != 6 || !cmp.Equal(shown, []int{1, 2, 4}) {
			t.Errorf("%d looks, shown %v, %v", looks, shown, err)
		}
	})
	down := errors.New("down")
	if err := watch(t.Context(), func(context.Context) (*doctor.Survey, error) { return nil, down }, nil); !errors.Is(err, down) {
		t.Errorf("the first look fails, and %v", err)
	}
}

// TestExamples runs the examples of --help, in a cluster in which there is nothing.
func TestExamples(t *testing.T) {
	kinds := map[string]string{"mutatingwebhookconfigurations": "MutatingWebhookConfigurationList", "configmaps": "ConfigMapList", "pods": "PodList"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		version := strings.TrimPrefix(path.Dir(r.URL.Path), "/apis/")
		answer := map[string]any{"kind": kinds[path.Base(r.URL.Path)], "apiVersion": strings.TrimPrefix(version, "/api/"), "metadata": map[string]any{}, "items": []any{}}
		switch {
		case r.URL.Path == "/version":
			answer = map[string]any{"major": "1", "minor": "37"}
		case strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadata"):
			answer["kind"], answer["apiVersion"] = "PartialObjectMetadataList", "meta.k8s.io/v1"
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // an error means that the client has gone
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	config := "{apiVersion: v1, kind: Config, current-context: t, clusters: [{name: t, cluster: {server: '" + server.URL + "'}}], contexts: [{name: t, context: {cluster: t}}]}"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", file)
	ran := 0
	for line := range strings.Lines(examples) {
		args, ok := strings.CutPrefix(strings.TrimSpace(line), "podpass status")
		if !ok {
			continue
		}
		ran++
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		var out, errs bytes.Buffer
		cmd := Command("test")
		cmd.SetOut(writerFunc(func(p []byte) (int, error) {
			if strings.Contains(args, "--watch") {
				cancel() // somebody has seen it
			}
			return out.Write(p)
		}))
		cmd.SetErr(&errs)
		cmd.SetArgs(strings.Fields(args))
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		err := cmd.ExecuteContext(ctx)
		cancel()
		want := exit.Findings // podpass is not installed
		if strings.Contains(args, "--watch") {
			want = exit.Sound
		}
		if got := exit.Status(err); got != want || !strings.Contains(out.String(), "WI120") {
			t.Errorf("podpass status%s: exit status %d, want %d: %v %s %s", args, got, want, err, out.String(), errs.String())
		}
	}
	if ran != 3 {
		t.Errorf("%d examples were run, want 3", ran)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
