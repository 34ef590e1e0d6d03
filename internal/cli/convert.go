package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/deploy"
	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/manifest"
)

const convertHelp = `Print what a file of another format becomes as Kubernetes objects: a Compose file, for example.

The objects go to standard output, and what is to be known of them to standard error: what Kubernetes will do otherwise, with times; fields that have no
effect; what cannot run on this machine. probity run, check, simulate and deploy read such a file as it is; nobody needs to convert it for them.

The health check of a Compose file becomes a readiness probe, and its start period a startup probe: Docker restarts nothing because of a health check.
--liveness adds a liveness probe, which does.

Exit codes: 0 printed; 2 bad input: nothing was printed.`

// convertFlags are the flags of convert.
type convertFlags struct {
	to       string
	liveness bool
}

func newConvert(streams Streams) *cobra.Command {
	var flags convertFlags
	cmd := &cobra.Command{
		Use:     "convert FILE",
		Short:   "Print a Compose file as Kubernetes objects",
		Long:    convertHelp,
		Example: "  probity convert compose.yaml > app.yaml",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return convert(streams, flags, args[0]) },
	}
	cmd.Flags().StringVar(&flags.to, "to", "kubernetes", "the format to print: kubernetes")
	cmd.Flags().BoolVar(&flags.liveness, "liveness", false, "also make a liveness probe of a health check")
	return cmd
}

// convert is the whole life of probity convert.
func convert(streams Streams, flags convertFlags, path string) error {
	if flags.to != "kubernetes" {
		return badInput(fmt.Errorf("cannot convert to %q: --to takes kubernetes", flags.to))
	}
	set, err := manifest.Load(manifest.Options{Stdin: streams.In, AllWorkloads: true, Formats: formats.All(formats.Options{Liveness: flags.liveness})}, path)
	if err != nil {
		return badInput(listed(err, "nothing was converted"))
	}
	if len(set.Converted) == 0 {
		return badInput(errors.New("there is nothing to convert: the file is no Compose file"))
	}
	for _, notes := range [][]manifest.Note{set.Differences, set.Warnings, set.NotApplied} {
		for _, n := range notes {
			if _, err := fmt.Fprintln(streams.Err, n); err != nil {
				return failed(err)
			}
		}
	}
	if err := deploy.Render(streams.Out, deploy.Converted(set)); err != nil {
		return failed(err)
	}
	return nil
}
