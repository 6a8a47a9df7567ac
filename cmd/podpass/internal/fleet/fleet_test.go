package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass/internal/doctor"
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
	const want = `COUNT  WHAT                                            MORE
9      ServiceAccounts with an identity                aws 8, gcp 2
40     pods of theirs                                  broker 38, direct 1
1      pods without the identity that they should have  podpass doctor -A
3      pods with static keys in the way                podpass doctor -A
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
