package migrate

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/status"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
)

const statusLong = `Show how far workloads are on the way off static keys: which read a key only, which have
both a key and an identity, and which of the two their SDKs take; which have the identity
alone, and what is left of their keys.

The exit status is 0 if nothing is left to do, 1 if something is, 2 if podpass could not
look.`

const statusExamples = `  # How far is the cluster?
  podpass migrate status -A

  # Keep it, and compare with it later
  podpass migrate status -A -o json > monday.json
  podpass migrate status -A --since monday.json

  # Of manifests, before they are applied
  podpass migrate status -f deploy/`

type statusOptions struct {
	scanOptions
	since string
}

func statusCommand(version string) *cobra.Command {
	o := &statusOptions{scanOptions: scanOptions{version: version, federated: true}}
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show how far workloads are on the way off static keys",
		Long:    statusLong,
		Example: statusExamples,
		Args:    cobra.NoArgs,
		RunE:    o.run,
	}
	o.addSource(cmd)
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "", "`file` with an earlier status as json, to say what has changed")
	f.StringVarP(&o.output, "output", "o", "table", "table, json or yaml")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(statusFormats, cobra.ShellCompDirectiveNoFileComp)) // completion only
	_ = cmd.MarkFlagFilename("since", "json")
	return cmd
}

var statusFormats = []string{"table", "json", "yaml"}

func (o *statusOptions) run(cmd *cobra.Command, _ []string) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
	defer cancel()
	if !slices.Contains(statusFormats, o.output) {
		return hint.New(fmt.Errorf("unknown output format %q", o.output), "use table, json or yaml")
	}
	before, err := o.before()
	if err != nil {
		return err
	}
	g, err := o.graph(ctx, cmd)
	if err != nil {
		return err
	}
	s := status.Of(g)
	if err := writeStatus(cmd.OutOrStdout(), s, before, o.output); err != nil {
		return err
	}
	if s.Sound() {
		return nil
	}
	return exit.Found(hint.New(errors.New("not all is off static keys"), "podpass migrate plan writes the way for what is left"))
}

// before is the earlier status; nil: none was given.
func (o *statusOptions) before() (*status.Status, error) {
	if o.since == "" {
		return nil, nil
	}
	b, err := manifest.ReadFile(nil, o.since, maxStatus)
	if err != nil {
		return nil, err
	}
	var s status.Status
	if err := json.Unmarshal(b, &s); err != nil || s.APIVersion != status.Version || s.Counts == nil {
		return nil, hint.New(fmt.Errorf("%s is no earlier status", o.since), "make one: podpass migrate status -o json > "+o.since)
	}
	return &s, nil
}

// maxStatus bounds an earlier status: some hundred bytes a workload.
const maxStatus = 64 << 20

func writeStatus(w io.Writer, s, before *status.Status, format string) error {
	switch format {
	case "json":
		return report.WriteJSON(w, s)
	case "yaml":
		return report.WriteYAML(w, s)
	}
	return statusTable(w, s, before)
}

func statusTable(w io.Writer, s, before *status.Status) error {
	var out bytes.Buffer
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	if len(s.Workloads) > 0 {
		fmt.Fprintln(t, "STATE\tCLOUD\tWORKLOAD\tSERVICEACCOUNT\tKEY IN\tWINS")
	}
	for _, one := range s.Workloads {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", one.State, one.Cloud, report.Line(one.Workload), report.Line(one.ServiceAccount), report.Line(strings.Join(one.Keys, ", ")), one.Wins)
	}
	t.Flush()
	for _, l := range s.Left {
		why := "nothing reads it"
		switch {
		case l.Kept:
			why = "kept for the way back"
		case l.Since != "":
			why = "marked as unused since " + l.Since
		}
		fmt.Fprintf(&out, "left: %s (%s): %s\n", report.Line(l.Place), report.Line(l.Key), why)
	}
	for _, u := range s.Unread {
		fmt.Fprintf(&out, "not read: %s\n", report.Line(u))
	}
	if out.Len() > 0 {
		out.WriteByte('\n')
	}
	fmt.Fprintln(&out, statusSummary(s, before))
	_, err := io.WriteString(w, report.Text(out.String(), false))
	return err
}

// statusSummary counts workloads by state, and says how many there were before.
func statusSummary(s, before *status.Status) string {
	var parts []string
	for _, state := range status.States() {
		part := fmt.Sprintf("%d %s", s.Counts[state], state)
		if before != nil {
			part += fmt.Sprintf(" (%+d)", s.Trend(before)[state])
		}
		parts = append(parts, part)
	}
	text := fmt.Sprintf("%s; %d left", strings.Join(parts, ", "), len(s.Left))
	if before != nil {
		text += fmt.Sprintf(" (%+d); compared with %s of %s", len(s.Left)-len(before.Left), cmp.Or(before.Source, "the same"), before.Time.Format(time.DateOnly))
	}
	return text
}
