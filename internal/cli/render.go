package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/deploy"
)

const renderHelp = `Print the objects of manifests as plain YAML, in the order in which probity deploy applies them: for GitOps, and for kubectl apply -f -.

FILE is a manifest, a folder, or - for standard input. Nothing is defaulted and nothing is added; comments are not kept, and Secrets are printed as
they are. The same files give the same bytes. No cluster is asked.

Exit codes: 0 printed; 2 bad input: nothing was printed.`

func newRender(streams Streams) *cobra.Command {
	var strip bool
	cmd := &cobra.Command{
		Use:     "render FILE...",
		Short:   "Print manifests as plain YAML, in the order of a deployment",
		Long:    renderHelp,
		Example: "  probity render --strip app.yaml > deploy/app.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			objects, manifests, err := readSet(streams, strip, args)
			if err != nil {
				return badInput(err)
			}
			sayRefusals(streams.Err, manifests)
			if len(objects) == 0 {
				return badInput(errors.New("there is no object in the files"))
			}
			deploy.Sort(objects)
			if err := deploy.Render(streams.Out, objects); err != nil {
				return failed(err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&strip, "strip", false, "leave out annotations of probity.run")
	return cmd
}
