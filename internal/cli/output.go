package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// addOutput adds the flag that asks for something programs can read.
func addOutput(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVarP(to, "output", "o", "", "json or yaml (default: text for people)")
}

// checkOutput refuses formats that there are not.
func checkOutput(output string) error {
	switch output {
	case "", "json", "yaml":
		return nil
	}
	return badInput(fmt.Errorf("cannot print %q: --output takes json or yaml", output))
}

// printAs prints a value as a flag of addOutput says that is not empty.
func printAs(streams Streams, output string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	text = append(text, '\n')
	if err == nil && output == "yaml" {
		text, err = yaml.JSONToYAML(text)
	}
	if err == nil {
		_, err = streams.Out.Write(text)
	}
	if err != nil {
		return failed(err)
	}
	return nil
}
