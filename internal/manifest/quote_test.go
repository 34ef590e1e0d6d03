package manifest

import (
	"strings"
	"testing"
)

// TestErrorsQuoteLittle: a manifest may be a link to any file, so an error shows no more of it than
// 60 characters in a row, and a position on one line.
func TestErrorsQuoteLittle(t *testing.T) {
	secret := strings.Repeat("s3cret", 150)
	container := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: x, "
	for name, text := range map[string]string{
		"a word":                secret,
		"lines":                 strings.Repeat(secret[:70]+"\n", 20),
		"a list":                "[" + secret + "]",
		"a string that is open": `"` + secret,
		"a JSON list":           `["` + secret + `"]`,
		"a key":                 secret + ": x",
		"an alias":              "a: *" + secret,
		"a tag":                 "apiVersion: v1\nkind: !" + secret + " x",
		"a kind":                "apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: " + secret + "}",
		"an apiVersion":         "apiVersion: " + secret + "\nkind: Pod",
		"an unknown field":      "apiVersion: v1\nkind: Pod\n" + secret + ": x",
		"a field twice":         "apiVersion: v1\nkind: Pod\nmetadata: {labels: {" + secret + ": a, " + secret + ": b}}",
		"the wrong type":        "apiVersion: v1\nkind: Pod\nspec: " + secret,
		"a name":                "apiVersion: v1\nkind: Pod\nmetadata: {name: " + secret + "}\nspec: {containers: [{name: " + secret + ", image: x}]}",
		"a port":                container + "ports: [{containerPort: " + secret + "}]}]}",
		"a number":              container + "ports: [{containerPort: 1" + strings.Repeat("0", 900) + ".5}]}]}",
		"a quantity":            container + "resources: {limits: {cpu: " + secret + "}}}]}",
		"a policy":              container + "imagePullPolicy: " + secret + "}]}",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadText(Options{}, "a.yaml", []byte(text))
			if err == nil {
				t.Fatal("no error")
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if strings.Contains(line, secret[:90]) || strings.Contains(line, strings.Repeat("0", 90)) || strings.Count(line, "s3cret") > 40 {
					t.Errorf("line %s", line)
				}
			}
		})
	}
	if got, want := (Position{"::a\n\x1b.yaml", 1, 2}).String(), `./::a\n\u001b.yaml:1:2`; got != want {
		t.Errorf("position %s, want %s", got, want)
	}
}
