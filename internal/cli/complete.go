package cli

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/system"
)

// completeTime is how long the shell waits for names when somebody presses Tab.
const completeTime = time.Second

// complete completes the values of a flag.
func complete(cmd *cobra.Command, flag string, values func(ctx context.Context) []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTime)
		defer cancel()
		return values(ctx), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // there is no such flag
	}
}

// completeNames completes names of objects of a run, of the kinds that a command takes.
func (t *target) completeNames(cmd *cobra.Command, kinds ...kube.Kind) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTime)
		defer cancel()
		return t.names(ctx, kinds), cobra.ShellCompDirectiveNoFileComp
	}
}

// names are those of objects; none if no run answers.
func (t *target) names(ctx context.Context, kinds []kube.Kind) []string {
	client, err := t.connect(ctx, Streams{Err: io.Discard})
	if err != nil {
		return nil
	}
	defer client.Close()
	s, err := client.Snapshot(ctx, t.namespace)
	if err != nil {
		return nil
	}
	var names []string
	for _, o := range s.Objects() {
		if at := kube.RefTo(o); len(kinds) == 0 || slices.Contains(kinds, at.Kind) {
			names = append(names, at.String())
		}
	}
	return names
}

// instanceNames are those of the runs that answer.
func instanceNames(ctx context.Context) (names []string) {
	runs, _ := system.Runs(ctx) // without them there is nothing to complete
	for _, run := range runs {
		names = append(names, run.Instance())
	}
	return names
}
