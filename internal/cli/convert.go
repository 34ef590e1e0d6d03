package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/deploy"
	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/formats/truefoundry"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/terminal"
)

const convertHelp = `Print what files say in another format, on standard output. What has no form there is named on standard error, by file, line and field.

FILE is a manifest, a service of TrueFoundry, of Knative or of Cloud Run, a Compose file, a folder of them, or - for standard input; one file may hold documents of several formats. --to kubernetes prints plain
manifests in the order of a deployment, as probity render does; --to truefoundry prints a service for every Deployment, with the Service in
front of it and the ConfigMaps that it mounts. Names that the objects do not tell stand there in capitals: CLUSTER, TENANT.

The health check of a Compose file becomes a readiness probe, and its start period a startup probe: Docker restarts nothing because of a health check. --liveness
adds a liveness probe, which does. What Kubernetes will do otherwise than Docker is said on standard error, with times.

Exit codes: 0 printed, and what does not fit is named; 2 bad input: nothing was printed.`

// A writing is a format that convert writes.
type writing struct {
	name  string
	write func(streams Streams, flags convertFlags, paths []string) error
}

// convertFlags are the flags of convert.
type convertFlags struct {
	to       string
	liveness bool
}

func writings() []writing {
	return []writing{{"kubernetes", toKubernetes}, {"truefoundry", toTrueFoundry}}
}

func writingNames() string {
	var names []string
	for _, w := range writings() {
		names = append(names, w.name)
	}
	return strings.Join(names, " or ")
}

func newConvert(streams Streams) *cobra.Command {
	var flags convertFlags
	cmd := &cobra.Command{
		Use:     "convert FILE...",
		Short:   "Print files in another format: Compose's and TrueFoundry's as Kubernetes manifests, and back to TrueFoundry's",
		Long:    convertHelp,
		Example: "  probity convert compose.yaml > app.yaml\n  probity convert service.yaml > app.yaml\n  probity convert --to truefoundry app.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			i := slices.IndexFunc(writings(), func(w writing) bool { return w.name == flags.to })
			if i < 0 {
				return badInput(fmt.Errorf("cannot convert to %q: --to takes %s", flags.to, writingNames()))
			}
			return writings()[i].write(streams, flags, args)
		},
	}
	cmd.Flags().StringVar(&flags.to, "to", writings()[0].name, writingNames())
	cmd.Flags().BoolVar(&flags.liveness, "liveness", false, "also make a liveness probe of a health check in a Compose file")
	return cmd
}

func toKubernetes(streams Streams, flags convertFlags, paths []string) error {
	manifests, err := advisor.ReadFormats(formats.All(formats.Options{Liveness: flags.liveness, Named: paths, Together: true}), streams.In, nil, paths...)
	if err != nil {
		return badInput(err)
	}
	sayDifferences(streams.Err, manifests)
	sayConversions(streams.Err, manifests)
	sayRefusals(streams.Err, manifests)
	objects, err := deploy.Objects(manifests)
	if err == nil {
		objects, err = deploy.Unwrapped(objects, manifests)
	}
	switch {
	case err != nil:
		return badInput(err)
	case len(objects) == 0:
		return badInput(errors.New("there is no object in the files"))
	}
	deploy.Sort(objects)
	if err := deploy.Render(streams.Out, objects); err != nil {
		return failed(err)
	}
	return nil
}

func toTrueFoundry(streams Streams, _ convertFlags, paths []string) error {
	set, err := manifest.Load(manifest.Options{Stdin: streams.In, AllWorkloads: true, Formats: formats.All(formats.Options{Named: paths, Together: true})}, paths...)
	if err != nil {
		return badInput(listed(err, "nothing was printed"))
	}
	var contents []truefoundry.Content
	for _, o := range set.Objects {
		var content truefoundry.Content
		text, err := o.Configuration()
		if err == nil {
			err = json.Unmarshal([]byte(text), &content)
		}
		if err != nil {
			return failed(err)
		}
		contents = append(contents, content)
	}
	text, misfits, err := truefoundry.FromKubernetes(contents)
	if err != nil {
		return failed(err)
	}
	if len(text) == 0 {
		return badInput(errors.New("there is no Deployment in the files, and a service is made of one"))
	}
	for _, m := range misfits {
		o := set.Objects[m.Object]
		note := manifest.Note{Position: o.PositionOf(m.Field), Object: o.Ref(), Field: m.Field, Message: m.Reason, Original: o.Original(m.Field)}
		terminal.Print(streams.Err, "does not fit: "+note.String())
	}
	for _, u := range set.Unknown {
		terminal.Print(streams.Err, "does not fit: "+u.String())
	}
	if _, err := streams.Out.Write(text); err != nil {
		return failed(err)
	}
	return nil
}

// sayDifferences says what Kubernetes will do otherwise than the tool that a document is for.
func sayDifferences(out io.Writer, m *advisor.Manifests) {
	for _, file := range m.FileNames() {
		if set := m.Set(file); set != nil {
			for _, n := range set.Differences {
				terminal.Print(out, "different: "+n.String())
			}
		}
	}
}

// sayRefusals says what no cluster takes of what documents of other formats become: it is printed
// as it was written there.
func sayRefusals(out io.Writer, m *advisor.Manifests) {
	for _, file := range m.FileNames() {
		set := m.Set(file)
		if set == nil {
			continue
		}
		said := map[string]bool{} // one value may become several
		for _, o := range set.Objects {
			for _, p := range o.Problems {
				if text := p.Error(); p.Original.Format != "" && !said[text] {
					said[text] = true
					terminal.Print(out, "refused by Kubernetes: "+text)
				}
			}
		}
	}
}

// sayConversions says what has no meaning, or hardly the meant one, of documents of other formats.
func sayConversions(out io.Writer, m *advisor.Manifests) {
	for _, file := range m.FileNames() {
		set := m.Set(file)
		if set == nil {
			continue
		}
		for _, n := range set.Joined {
			terminal.Print(out, "note: "+n.String())
		}
		for _, w := range set.Warnings {
			terminal.Print(out, "warning: "+w.String())
		}
		for _, n := range set.NotApplied {
			terminal.Print(out, "not applied: "+n.String())
		}
		if len(set.Converted) == 0 && len(set.Objects) > 0 {
			continue
		}
		for _, u := range set.Unknown {
			if u.APIVersion == truefoundry.Name {
				terminal.Print(out, "left alone: "+printable.Line(u.String()))
			}
		}
	}
}
