package script

import (
	"maps"
	"testing"
)

func TestStepAt(t *testing.T) {
	tests := map[string][]string{
		"":               {"", ""},
		"200":            {"200", "200"},
		"200,500":        {"200", "500", "500"},
		"ax2,b,cx3":      {"a", "a", "b", "c", "c", "c", "c"},
		"302@http://a/x": {"302@http://a/x", "302@http://a/x"},
		"hang,200x1,503": {"hang", "200", "503", "503"},
		"x":              {"x", "x"},
		"big:5x3,b":      {"big:5", "big:5", "big:5", "b"},
	}
	for script, want := range tests {
		for n, w := range want {
			if got, err := StepAt(script, n); err != nil || got != w {
				t.Errorf("step %d of %q = %q, %v, want %q", n, script, got, err, w)
			}
		}
	}
}

func TestOfInstance(t *testing.T) {
	for n, want := range map[int]string{0: "a", 1: "a", 2: "", 3: "c", 9: "c"} {
		if got := OfInstance("a||c", n); got != want {
			t.Errorf("part %d = %q, want %q", n, got, want)
		}
	}
}

func TestAnswers(t *testing.T) {
	got, err := Answers("/live=200x3,500;/ready=302@http://a/?b=c")
	want := map[string]string{"/live": "200x3,500", "/ready": "302@http://a/?b=c"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("answers = %v, %v, want %v", got, err, want)
	}
	if _, err := Answers("/live"); err == nil {
		t.Error("an answer without a script is accepted")
	}
}
