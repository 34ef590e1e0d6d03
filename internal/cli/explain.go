package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/docs"
	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules"
)

func newExplain(streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [RULE]...",
		Short: "Tell what a rule of probity check is about",
		Long: `Print what a rule of probity check finds, what happens if it is left alone, what to do, and the rules of the kubelet behind it.
Without a rule, list all.

Exit codes: 0 printed; 2 there is no such rule.`,
		Example: "  probity explain liveness-equals-readiness",
		RunE: func(_ *cobra.Command, args []string) error {
			return explainTo(streams.Out, args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var ids []string
			for _, r := range rules.Documented() {
				ids = append(ids, r.ID)
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// explainTo prints one rule, or the list of all.
func explainTo(out io.Writer, ids []string) error {
	if len(ids) == 0 {
		for _, r := range rules.Documented() {
			if _, err := fmt.Fprintf(out, "%-40s %-7s %s\n", r.ID, r.Severity, r.Doc.Title); err != nil {
				return failed(err)
			}
		}
		return nil
	}
	kubelet, err := advisor.ParseKubeletRules(docs.KubeletRules())
	if err != nil {
		return failed(fmt.Errorf("%s in this program cannot be read: %w", advisor.KubeletRulesPage, err))
	}
	for i, id := range ids {
		rule, err := rules.Find(id)
		if err != nil {
			return badInput(err)
		}
		text := advisor.Explain(rule, kubelet)
		if i > 0 {
			text = "\n" + text
		}
		if _, err := io.WriteString(out, text); err != nil {
			return failed(err)
		}
	}
	return nil
}
