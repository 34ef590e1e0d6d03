package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate/script"
)

const schemaHelp = `Print a JSON schema (draft 7), by which an editor completes and checks what one writes, of this version of Probity:

  fault-script  scripts of probity simulate --script and probity drill --script
  annotations   the annotations probity.run/… in Kubernetes' objects; the rest of an object is not looked at`

// schemas are the names that schema takes, each with what it prints.
func schemas() map[string]func() map[string]any {
	return map[string]func() map[string]any{"fault-script": script.Schema, "annotations": manifest.AnnotationSchema}
}

func newSchema(streams Streams) *cobra.Command {
	names := []string{"fault-script", "annotations"}
	return &cobra.Command{
		Use:       "schema " + strings.Join(names, "|"),
		Short:     "Print a JSON schema for editors",
		Long:      schemaHelp,
		Example:   "  probity schema fault-script > .vscode/fault-script.json",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: names,
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := json.MarshalIndent(schemas()[args[0]](), "", "  ")
			if err != nil {
				return failed(fmt.Errorf("cannot print the schema: %w", err))
			}
			_, err = fmt.Fprintln(streams.Out, string(text))
			return err
		},
	}
}
