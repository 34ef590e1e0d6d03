// Command playground is the program of the playground: see docs/playground. Compiled for a browser
// it gives JavaScript the function probityAnswer and waits for calls of it; elsewhere it answers
// one question, from standard input.
package main

import (
	"syscall/js"

	"github.com/probity-run/probity/internal/playground"
)

func main() {
	js.Global().Set("probityAnswer", js.FuncOf(answer))
	select {} // JavaScript calls from here on
}

// answer is playground.Answer for JavaScript: of a text, an object with the page or with the error.
func answer(_ js.Value, arguments []js.Value) any {
	page, err := playground.Answer(arguments[0].String())
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"page": string(page)}
}
