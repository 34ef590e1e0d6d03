package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/render"
	"github.com/probity-run/probity/internal/simulate/script"
)

func newSimulateScript(streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "script",
		Short: "Describe scripts and ready-made faults",
		Long:  strings.TrimSuffix(script.Reference(), "\n"),
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if _, err := io.WriteString(streams.Out, script.Reference()); err != nil {
				return failed(err)
			}
			return nil
		},
	}
}

// once simulates the manifest and prints what happened.
func (s *simulation) once(streams Streams) ([]simulate.AssertionResult, error) {
	f := s.flags
	options := simulate.Options{
		Horizon: s.horizon, Replicas: f.replicas, Seed: cmp.Or(f.seed, 1), MaxRestartPeriod: f.maxRestartPeriod,
		NoTimeline: f.output == "summary" && f.svg == "",
	}
	result, err := simulate.Run(s.set.Objects, s.script, options)
	if err == nil {
		result.Summary.AnyPhase, err = simulate.Sweep(s.set.Objects, s.script, options)
	}
	if err != nil {
		return nil, badInput(fmt.Errorf("cannot simulate: %w", err))
	}
	var results []simulate.AssertionResult
	for _, a := range s.asserts {
		results = append(results, result.Summary.Check(a, f.rate))
	}
	if f.svg != "" { // first: whoever reads the output may stop at any time
		if err := writeFile(f.svg, func(out io.Writer) error { return render.SVG(out, result, f.rate) }); err != nil {
			return nil, failed(err)
		}
	}
	if err := s.print(streams.Out, result, results); err != nil {
		return nil, failed(err)
	}
	return results, nil
}

func (s *simulation) print(out io.Writer, result *simulate.Result, results []simulate.AssertionResult) error {
	switch s.flags.output {
	case "json":
		return render.JSON(out, result, results)
	case "svg":
		return render.SVG(out, result, s.flags.rate)
	case "summary":
		return render.SummaryText(out, &result.Summary, s.flags.rate)
	default:
		return render.Text(out, result, s.flags.rate)
	}
}

// many simulates many Pods and prints distributions.
func (s *simulation) many(streams Streams) ([]simulate.AssertionResult, error) {
	f := s.flags
	options := simulate.ManyOptions{
		Runs: f.runs, Horizon: s.horizon, Replicas: f.replicas, Seed: cmp.Or(f.seed, 1), MaxRestartPeriod: f.maxRestartPeriod,
	}
	outcome, err := simulate.RunMany(s.set.Objects, s.script, options)
	if err == nil && len(s.asserts) > 0 {
		outcome.AnyPhase, err = simulate.SweepMany(s.set.Objects, s.script, options)
	}
	if err != nil {
		return nil, badInput(fmt.Errorf("cannot simulate: %w", err))
	}
	var results []simulate.AssertionResult
	for _, a := range s.asserts {
		results = append(results, outcome.Check(a))
	}
	if f.output == "json" {
		err = render.ManyJSON(streams.Out, outcome, results)
	} else {
		err = render.ManyText(streams.Out, outcome)
	}
	if err != nil {
		return nil, failed(err)
	}
	return results, nil
}

// writeFile makes a file and says what went wrong, closing included.
func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}
