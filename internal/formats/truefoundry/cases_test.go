package truefoundry_test

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/formats/truefoundry"
	"github.com/probity-run/probity/internal/manifest"
)

var update = flag.Bool("update", false, "write what is said of the cases")

// A testCase is one of service/testdata/cases, whose README tells what its fields mean.
type testCase struct {
	Name       string            `yaml:"name"`
	Run        bool              `yaml:"run,omitempty"`
	Env        map[string]string `yaml:"env,omitempty"`
	Document   document          `yaml:"document"`
	Errors     []string          `yaml:"errors,omitempty"`
	Warnings   []string          `yaml:"warnings,omitempty"`
	NotApplied []string          `yaml:"notApplied,omitempty"`
	LeftAlone  []string          `yaml:"leftAlone,omitempty"`
	Objects    []map[string]any  `yaml:"objects,omitempty"`
}

// document is written as people write it.
type document string

func (d document) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.LiteralStyle, Value: string(d)}, nil
}

// outcome is the case with what is said of its document now.
func (c testCase) outcome() testCase {
	format := truefoundry.New(truefoundry.Options{Run: c.Run, Env: c.Env})
	set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(string(c.Document)), Formats: []manifest.Format{format}}, "-")
	out := testCase{Name: c.Name, Run: c.Run, Env: c.Env, Document: c.Document}
	short := func(s string) string { return strings.ReplaceAll(s, "<stdin>:", "") }
	if list, ok := errors.AsType[manifest.Errors](err); ok {
		for _, e := range list {
			out.Errors = append(out.Errors, short(e.Error()))
		}
		return out
	}
	for _, n := range set.Warnings {
		out.Warnings = append(out.Warnings, short(n.String()))
	}
	for _, n := range set.NotApplied {
		if n.Original.Format != "" && n.Object.Kind == n.Original.Object.Kind { // what is said where it is converted
			out.NotApplied = append(out.NotApplied, short(n.String()))
		}
	}
	for _, u := range set.Unknown {
		out.LeftAlone = append(out.LeftAlone, short(u.String()))
	}
	for _, o := range set.Converted {
		out.Objects = append(out.Objects, o.Content)
	}
	return out
}

// TestCases holds what becomes of documents, and what is said of them, to the table that the SDKs
// are tested with, too.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("../../../service/testdata/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []testCase
		if err := yaml.Unmarshal(data, &cases); err != nil {
			t.Fatal(err)
		}
		if *update {
			writeCases(t, file, data, cases)
			continue
		}
		for _, c := range cases {
			t.Run(filepath.Base(file)+"/"+c.Name, func(t *testing.T) {
				var got testCase
				text, err := yaml.Marshal(c.outcome())
				if err := cmp.Or(err, yaml.Unmarshal(text, &got)); err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(c, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if strings.Contains(file, "slips") != (len(got.Errors) > 0) && !c.Run {
					t.Errorf("errors: %v", got.Errors)
				}
			})
		}
	}
}

func writeCases(t *testing.T, file string, data []byte, cases []testCase) {
	t.Helper()
	var out bytes.Buffer
	for line := range bytes.Lines(data) {
		if !bytes.HasPrefix(line, []byte("#")) {
			break
		}
		out.Write(line)
	}
	var list []testCase
	for _, c := range cases {
		list = append(list, c.outcome())
	}
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := cmp.Or(encoder.Encode(list), os.WriteFile(file, out.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// What becomes of a document does not depend on how often and how it is read.
func FuzzConvert(f *testing.F) {
	files, err := filepath.Glob("../../../service/testdata/cases/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var cases []testCase
		if err := yaml.Unmarshal(data, &cases); err != nil {
			f.Fatal(err)
		}
		for _, c := range cases {
			f.Add(string(c.Document), c.Run)
		}
	}
	f.Fuzz(func(t *testing.T, text string, run bool) {
		formats := []manifest.Format{truefoundry.New(truefoundry.Options{Run: run})}
		options := manifest.Options{Formats: formats, MaxNodes: 10_000}
		read := func() ([]string, *manifest.Set) {
			options.Stdin = strings.NewReader(text)
			set, err := manifest.Load(options, "-")
			if err == nil {
				return nil, set
			}
			return strings.Split(err.Error(), "\n"), set
		}
		errs, set := read()
		if again, _ := read(); !slices.Equal(errs, again) {
			t.Errorf("first %q, then %q", errs, again)
		}
		lines := strings.Count(text, "\n") + 1
		for _, o := range set.Objects {
			if at := o.Position; at.Line < 1 || at.Line > lines || at.Column < 1 {
				t.Errorf("%v is at %v of %d lines", o.Ref(), at, lines)
			}
		}
		if _, err := manifest.DecodeLenient(options, "a.yaml", []byte(text)); err != nil && len(errs) == 0 {
			t.Errorf("a run reads it, and a check does not: %v", err)
		}
		var contents []truefoundry.Content
		for _, o := range set.Converted {
			contents = append(contents, o.Content)
		}
		if _, _, err := truefoundry.FromKubernetes(contents); err != nil {
			t.Error(err)
		}
	})
}
