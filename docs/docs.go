// Package docs gives the program the pages that it quotes.
package docs

import _ "embed"

//go:embed kubelet-rules.md
var kubeletRules string

// KubeletRules is the page of the kubelet's rules, in Markdown.
func KubeletRules() string { return kubeletRules }
