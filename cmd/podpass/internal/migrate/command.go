// Package migrate is `podpass migrate`: it takes a team off static keys.
package migrate

import (
	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/apply"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
)

const long = `Take workloads off static keys, one at a time, with a proof before each removal and a
way back.

scan finds the static credentials of AWS, Google Cloud, Azure and clusters, and who uses
them. plan writes the way off them, as a folder to review and commit. apply walks it, and
undo takes a workload back. status says how far all are. delete deletes a key that nothing
reads any more, and guard keeps a finished namespace off new ones.`

// Command is the cobra command, with those below it.
func Command(version string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Take workloads off static keys: find, plan, prove, remove, undo",
		Long:  long,
		Example: `  # Which static keys are there, and who uses them?
  podpass migrate scan -A`,
	}
	cmd.AddCommand(
		scanCommand(version), plan.Command(version), apply.Command(version), apply.UndoCommand(version), apply.DeleteCommand(version),
		statusCommand(version), guardCommand(version),
	)
	return cmd
}
