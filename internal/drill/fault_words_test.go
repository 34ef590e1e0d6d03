package drill

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate/script"
)

// faultExamples are words with which somebody may come from one command to another: the examples of
// each fault of drill and simulate, those of the annotation, and the faults of tests.
func faultExamples(t *testing.T) []string {
	var all []string
	for _, row := range kindRows() {
		all = append(all, strings.Split(row.syntax, ", ")...)
	}
	for _, r := range script.ReadyMadeFaults() {
		all = append(all, strings.Split(r.Syntax, ", ")...)
	}
	all = append(all, "slow=2s", string(manifest.FaultRefuse), string(manifest.FaultUnready))
	others := slices.DeleteFunc(goFaults(t), func(word string) bool { return word == "slow" }) // it takes a time
	return append(all, others...)
}

// goFaults are the functions of probitytest that make a fault, as words.
func goFaults(t *testing.T) (words []string) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../probitytest/fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil {
			continue
		}
		if result, ok := f.Type.Results.List[0].Type.(*ast.Ident); ok && result.Name == "Fault" {
			words = append(words, strings.ToLower(f.Name.Name))
		}
	}
	slices.Sort(words)
	return words
}

// pythonFaults are the methods of a run that make a fault, but those that send a signal.
func pythonFaults(t *testing.T) (words []string) {
	text, err := os.ReadFile("../../python/probity/testing/run.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^    def ([a-z]+)\(.*\) -> Fault:$`).FindAllStringSubmatch(string(text), -1) {
		if m[1] != "signal" && m[1] != "resume" {
			words = append(words, m[1])
		}
	}
	slices.Sort(words)
	return words
}

// TestTestsHaveTheSameFaults: what a test in Go can do, one in Python can, by the same word.
func TestTestsHaveTheSameFaults(t *testing.T) {
	inGo, inPython := goFaults(t), pythonFaults(t)
	if len(inGo) < 5 || !slices.Equal(inGo, inPython) {
		t.Errorf("probitytest has the faults %v, and the Python package %v", inGo, inPython)
	}
}

// TestWordsOfOthers: each word of one command that takes faults is one of every other, or is
// refused by name: with the reason, and with what to do instead. None is an unknown word.
func TestWordsOfOthers(t *testing.T) {
	for _, example := range faultExamples(t) {
		word, rest := cutAt(example, "@=+")
		plain, _ := cutAt(word, ":")
		value, _ := cutAt(strings.TrimPrefix(rest, "="), "@+")
		s := &script.Script{}
		for who, err := range map[string]error{
			"simulate":       s.ParseFault(asSimulated(example)),
			"drill":          errorOf(ParseFault(asDrilled(word, value))),
			"the annotation": errorOf(manifest.ParseFault(asAnnotated(plain, value))),
		} {
			if err == nil {
				continue
			}
			if explained := regexp.MustCompile(`simulate|probity drill|only a simulation|annotation|write crash|happens to|no script says`); strings.Contains(err.Error(), "unknown") || !explained.MatchString(err.Error()) {
				t.Errorf("%s does not say what it makes of %q: %v", who, example, err)
			}
		}
	}
}

// asSimulated is a fault as simulate writes it, which wants to know when it begins.
func asSimulated(example string) string {
	name, _ := cutAt(example, ":=@+")
	timed := !slices.Contains([]string{"slow", "slow-start", "crash-loop", "flap", "gc-stall"}, name)
	if !timed || strings.Contains(example, "@") {
		return example
	}
	before, length := cutAt(example, "+")
	return before + "@60s" + length
}

// asDrilled is a fault as a drill writes it: without the time at which it begins.
func asDrilled(word, value string) string {
	name, dependency := cutAt(word, ":")
	switch {
	case name == "dependency-outage" && dependency == "":
		word += ":db"
	case name == "crash" && value != "137":
		value = ""
	case name == "slow-start" && !strings.HasSuffix(value, "x"):
		value = "2x"
	}
	if value == "" || strings.HasPrefix(value, "+") {
		return word
	}
	return word + "=" + value
}

func asAnnotated(plain, value string) string {
	if plain == string(manifest.FaultSlow) {
		value, _, _ = strings.Cut(value, "/") // and value is a time
		return plain + "=" + value
	}
	return plain
}

func errorOf[T any](_ T, err error) error { return err }
