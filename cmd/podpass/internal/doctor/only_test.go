package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
)

// TestOnly: who names a check wants it to run; a name that there is not, and settings that
// nobody has read, are refused before anything is looked at.
func TestOnly(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(settings, []byte("broker: {image: example.com/podpass-broker:1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	type asked struct {
		Only                []string
		Admission, Exchange bool
	}
	for name, tt := range map[string]struct {
		only      []string
		admission bool
		settings  string
		want      asked
		err       string
	}{
		"all":                 {},
		"a dry run":           {admission: true, want: asked{Admission: true}},
		"two":                 {only: []string{"admission", "exchange"}, settings: settings, want: asked{[]string{"admission", "exchange"}, true, true}},
		"with what is read":   {only: []string{"installation", "pod"}, want: asked{Only: []string{"installation", "pod"}}},
		"misspelt":            {only: []string{"admision"}, settings: settings, err: `there is no check "admision"`},
		"by unknown settings": {only: []string{"admission"}, err: "whose settings the other checks need"},
	} {
		t.Run(name, func(t *testing.T) {
			o := &options{cluster: cluster.New("test"), version: "test", only: tt.only, admission: tt.admission}
			o.cluster.SettingsFile = tt.settings
			run, err := o.options(Command("test"), []string{"sa/orders"})
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if d := cmp.Diff(tt.want, asked{run.Only, run.Admission, run.Exchange}); d != "" {
				t.Error(d)
			}
		})
	}
}
