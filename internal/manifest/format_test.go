package manifest_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
)

// toy is a format whose documents are {toy: NAME, successes: NUMBER, other: …}, with more Pods for
// {copies: NUMBER} and longer commands for {words: NUMBER}.
type toy struct{}

func (toy) Name() string              { return "Toys" }
func (toy) Mentions(text []byte) bool { return bytes.Contains(text, []byte("toy:")) }
func (toy) Recognizes(root *yaml.Node) bool {
	return len(root.Content) > 0 && root.Content[0].Value == "toy"
}

func (toy) Convert(file string, root *yaml.Node) manifest.Conversion {
	var c manifest.Conversion
	values := map[string]*yaml.Node{}
	ref := manifest.Ref{Kind: "toy", Name: root.Content[1].Value}
	for i := 0; i < len(root.Content); i += 2 {
		name, value := root.Content[i], root.Content[i+1]
		values[name.Value] = value
		switch name.Value {
		case "toy", "successes", "copies", "words":
		case "ball":
			c.NotApplied = append(c.NotApplied, manifest.Remark{At: name, Object: ref, Field: "ball", Message: "nobody plays"})
		case "doll":
			c.Unknown = append(c.Unknown, manifest.Remark{At: name, Object: manifest.Ref{Kind: "doll", Name: value.Value}})
		default:
			c.Errors = append(c.Errors, manifest.Remark{At: name, Object: ref, Field: name.Value, Message: "no toy of " + file + " has that"})
		}
	}
	fields := map[*yaml.Node]string{}
	node := func(kind yaml.Kind, from *yaml.Node, path, value string, content ...*yaml.Node) *yaml.Node {
		n := &yaml.Node{Kind: kind, Value: value, Line: from.Line, Column: from.Column, Content: content}
		fields[n] = path
		return n
	}
	text := func(value string) *yaml.Node { return node(yaml.ScalarNode, values["toy"], "", value) }
	object := func(from *yaml.Node, path string, content ...*yaml.Node) *yaml.Node {
		return node(yaml.MappingNode, from, path, "", content...)
	}
	at := values["toy"]
	n := values["successes"]
	if n == nil {
		return c
	}
	probe := object(n, "", text("tcpSocket"), object(n, "", text("port"), node(yaml.ScalarNode, n, "successes", "80")), text("successThreshold"), node(yaml.ScalarNode, n, "successes", n.Value))
	count := func(field string) (n int) {
		if values[field] != nil {
			n, _ = strconv.Atoi(values[field].Value)
		}
		return n
	}
	command := node(yaml.SequenceNode, at, "words", "")
	for range count("words") {
		command.Content = append(command.Content, text("word"))
	}
	container := object(at, "", text("name"), text("main"), text("image"), text("x"), text("livenessProbe"), probe, text("command"), command)
	list := node(yaml.SequenceNode, at, "", "", container)
	pod := func(name string) {
		root := object(at, "", text("apiVersion"), text("v1"), text("kind"), text("Pod"), text("metadata"), object(at, "", text("name"), node(yaml.ScalarNode, at, "toy", name)),
			text("spec"), object(at, "", text("containers"), list))
		c.Objects = append(c.Objects, manifest.ConvertedObject{Root: root, Fields: fields, Ref: ref})
	}
	pod(at.Value)
	for i := range count("copies") {
		pod(fmt.Sprintf("%s-%d", at.Value, i))
	}
	return c
}

// What a document becomes may expand to more than the document, each object to as much as one; what
// is larger is refused, and nothing is left out without a word.
func TestFormatLimits(t *testing.T) {
	const text = "toy: web\nsuccesses: 1\n"
	for name, test := range map[string]struct {
		text, want string
		objects    int
	}{
		"many":      {text + "copies: 30\nwords: 50\n", "", 31},
		"one large": {text + "words: 300\n", "<stdin>:1:6: toy web: words: the document has too many values, or its aliases expand to too many: refused", 0},
	} {
		t.Run(name, func(t *testing.T) {
			opts := manifest.Options{MaxNodes: 200, Formats: []manifest.Format{toy{}}}
			lenient, err := manifest.DecodeLenient(opts, "<stdin>", []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			opts.Stdin = strings.NewReader(test.text)
			strict, err := manifest.Load(opts, "-")
			if test.want != "" {
				if err == nil || err.Error() != test.want || lenient.Invalid.Error() != test.want {
					t.Errorf("errors %v and %v, want %s", err, lenient.Invalid, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, set := range []*manifest.Set{strict, lenient} {
				if len(set.Objects) != test.objects || len(set.Converted) != test.objects {
					t.Errorf("%d objects, %d as JSON, want %d", len(set.Objects), len(set.Converted), test.objects)
				}
			}
		})
	}
}

// What is said of a document of another format points into it, in its words.
func TestFormat(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"accepted":              {"toy: web\nsuccesses: 1\n", ""},
		"refused by Kubernetes": {"toy: web\nsuccesses: 3\n", "<stdin>:2:12: toy web: successes: Invalid value: 3: must be 1"},
		"refused by the format": {"toy: web\nsuccesses: 3\nsize: 3\n", "<stdin>:3:1: toy web: size: no toy of <stdin> has that"},
		"behind an object":      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\ntoy: web\nsuccesses: 2\n", "<stdin>:6:12: toy web: successes: Invalid value: 2: must be 1"},
		"an alias":              {"toy: &a web\nsuccesses: *a\n", `<stdin>:1:6: toy web: successes: cannot use string "web" as integer`},
		"merged":                {"toy: web\n<<: {successes: 4}\n", "<stdin>:2:17: toy web: successes: Invalid value: 4: must be 1"},
		"a name twice":          {"toy: web\nsuccesses: 1\nsuccesses: 1\n", "<stdin>:3:1: successes: already set at <stdin>:2:1"},
		"names like booleans":   {"toy: web\nsuccesses: 1\nYES: 1\nON: 1\n", "<stdin>:3:1: toy web: YES: no toy of <stdin> has that\n<stdin>:4:1: toy web: ON: no toy of <stdin> has that"},
		"in a circle":           {"toy: web\nball: &a [*a]\n", "<stdin>:2:11: ball[0][0]: the value of anchor a contains itself"},
		"no such document":      {"joy: web\n", "<stdin>:1:1: kind: missing: expected an object with apiVersion, kind and metadata"},
		"two of one name":       {"toy: web\nsuccesses: 1\n---\ntoy: web\nsuccesses: 1\n", `<stdin>:4:6: toy web: toy: namespace "default" has this object already, from <stdin>:1:6`},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(test.text), Formats: []manifest.Format{toy{}}}, "-")
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if err == nil && len(set.Objects) != 1 {
				t.Errorf("got %d objects", len(set.Objects))
			}
		})
	}
}

func TestFormatNotes(t *testing.T) {
	const text = "toy: web\nsuccesses: 1\nball: red\ndoll: eve\n"
	set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(text), Formats: []manifest.Format{toy{}}}, "-")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range set.NotApplied {
		got = append(got, n.String())
	}
	got = append(got, set.Unknown[0].String())
	want := []string{"<stdin>:3:1: toy web: ball: nobody plays", "<stdin>:1:6: toy web: the program runs from its command, no image is pulled", "<stdin>:4:1: Toys doll eve"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	o := set.Objects[0]
	if got := o.Original("spec.containers[0].livenessProbe.successThreshold"); got.Field != "successes" || got.Format != "Toys" {
		t.Errorf("got %+v", got)
	}
	if p := o.PositionOf("spec.containers[0].livenessProbe.periodSeconds"); p.Line != 1 && p.Line != 2 {
		t.Errorf("a default is at %v", p)
	}
	if got := set.Converted[0].Content["kind"]; got != "Pod" || set.Converted[0].Format != "Toys" {
		t.Errorf("got a %v of %s", got, set.Converted[0].Format)
	}
}

// A check sees the errors of the format beside what can be judged, also in a folder of anything.
func TestFormatLenient(t *testing.T) {
	const text = "toy: web\nsuccesses: 3\nsize: 3\n"
	set, err := manifest.DecodeLenient(manifest.Options{Mixed: true, Formats: []manifest.Format{toy{}}}, "a.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Objects) != 1 || len(set.Objects[0].Problems) != 1 || len(set.Invalid) != 1 {
		t.Fatalf("got %d objects, errors %v", len(set.Objects), set.Invalid)
	}
	if got, want := set.Objects[0].Problems.Error(), "a.yaml:2:12: toy web: successes: Invalid value: 3: must be 1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if set, err = manifest.DecodeLenient(manifest.Options{Mixed: true}, "a.yaml", []byte(text)); err != nil || len(set.PassedOver) != 1 {
		t.Errorf("without the format: got %+v, %v", set, err)
	}
}
