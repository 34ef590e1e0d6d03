package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/system"
)

const cleanHelp = `Remove what runs that have ended left: the output of containers, volumes, and what is kept of drills.

Without it, the state folders of the ten newest runs are kept, for a week at most. A folder that a run uses is left alone, and so is every
folder that is not Probity's own.

Exit codes: 0 removed, or nothing was there; 1 something could not be removed; 2 bad input.`

func newClean(streams Streams) *cobra.Command {
	var stateDir string
	cmd := &cobra.Command{
		Use:     "clean",
		Short:   "Remove what ended runs left",
		Long:    cleanHelp,
		Example: "  probity clean",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return clean(streams, stateDir)
		},
	}
	cmd.Flags().StringVar(&stateDir, "state-dir", "", "remove this state folder alone (default: those of all runs that have ended, below the user's state folder)")
	return cmd
}

// clean names each folder that it removed.
func clean(streams Streams, stateDir string) error {
	removed, err := system.Clean(stateDir)
	if stateDir == "" {
		drills, drillsErr := keptDrills().Clear()
		removed, err = append(removed, drills...), errors.Join(err, drillsErr)
	}
	for _, dir := range removed {
		if _, err := fmt.Fprintln(streams.Out, "removed "+dir); err != nil {
			return failed(err)
		}
	}
	if err != nil {
		return failed(fmt.Errorf("cannot clean up: %w", err))
	}
	return nil
}
