package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"
)

const (
	// pluginFile is the name under which kubectl finds a program as "kubectl probity".
	pluginFile = "kubectl-probity"
	// completionFile is the name under which kubectl asks for what completes "kubectl probity …".
	completionFile = "kubectl_complete-probity"
	// pluginName is what people write then.
	pluginName = "kubectl probity"
	// annotationPlugin marks the root command of such a call.
	annotationPlugin = "plugin"
)

// IsPlugin reports whether a program was called by a name that makes it a plugin of kubectl.
func IsPlugin(program string) bool { return filepath.Base(program) == pluginFile }

// PluginMain is [Main] for a plugin of kubectl: what Main says of a run, without a flag that names
// one, is about the cluster of the current context.
func PluginMain(ctx context.Context, streams Streams, args []string) int {
	streams = streams.safe()
	root := newRoot(streams)
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: pluginName, annotationPlugin: pluginFile}
	return runCommand(ctx, streams, root, args)
}

// IsPluginCompletion reports whether a program was called by the name by which kubectl asks a
// plugin for completions.
func IsPluginCompletion(program string) bool { return filepath.Base(program) == completionFile }

// PluginCompletionMain prints what completes the arguments of a plugin of kubectl, the last of
// which is what has been typed of a word.
func PluginCompletionMain(ctx context.Context, streams Streams, args []string) int {
	return PluginMain(ctx, streams, append([]string{cobra.ShellCompRequestCmd}, args...))
}

// isPlugin reports whether kubectl has called.
func isPlugin(cmd *cobra.Command) bool { return cmd.Root().Annotations[annotationPlugin] != "" }
