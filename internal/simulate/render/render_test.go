package render

import (
	"fmt"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// manyWorkloads are of names that fit nowhere.
func manyWorkloads() string {
	var b strings.Builder
	for i := range 12 {
		name := fmt.Sprintf("a-service-whose-name-is-as-long-as-a-name-may-be-and-is-number-%d", i)
		b.WriteString(strings.ReplaceAll(strings.Replace(simulatetest.PodWith("livenessProbe: {httpGet: {path: /l, port: http}}"), "name: web,", "name: "+name+",", 1), "name: web\n", "name: the-server-of-this-pod-and-of-no-other\n") + "---\n")
	}
	return b.String()
}

// simulated plays a manifest with ready-made faults.
func simulated(t testing.TB, text string, sc *script.Script, opts simulate.Options) *simulate.Result {
	t.Helper()
	r, err := simulate.Run(simulatetest.Objects(t, text), sc, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
