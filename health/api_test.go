package health

import (
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// The Live methods take no function, so that the classic mistake, a database behind /livez, does
// not compile. The only interface they take is sync.Locker.
func TestLivenessTakesNoFunction(t *testing.T) {
	var check func(t *testing.T, of string, typ reflect.Type)
	check = func(t *testing.T, of string, typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Func, reflect.Chan, reflect.UnsafePointer:
			t.Errorf("%s takes a %v", of, typ)
		case reflect.Interface:
			if typ != reflect.TypeFor[sync.Locker]() {
				t.Errorf("%s takes any %v", of, typ)
			}
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			check(t, of, typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				check(t, of+"."+typ.Field(i).Name, typ.Field(i).Type)
			}
		}
	}
	health, found := reflect.TypeFor[*Health](), 0
	for i := range health.NumMethod() {
		m := health.Method(i)
		if !strings.HasPrefix(m.Name, "Live") || m.Name == "Livez" { // Livez is the HTTP handler
			continue
		}
		found++
		for in := 1; in < m.Type.NumIn(); in++ {
			check(t, m.Name, m.Type.In(in))
		}
	}
	if found != 5 {
		t.Errorf("%d methods begin with Live, want 5: adapt this test", found)
	}
	heartbeat := reflect.TypeFor[*Heartbeat]()
	for i := range heartbeat.NumMethod() {
		if m := heartbeat.Method(i); m.Type.NumIn() != 1 {
			t.Errorf("Heartbeat.%s takes something", m.Name)
		}
	}
}

func TestStandardLibraryOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(out)); len(got) != 1 {
		t.Errorf("the library links %q, want itself and the standard library", got)
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil || strings.Contains(string(mod), "require") {
		t.Errorf("go.mod requires something: %v\n%s", err, mod)
	}
}

// go doc fits on two screens of 50 lines.
func TestDocIsShort(t *testing.T) {
	out, err := exec.Command("go", "doc", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(out), "\n"); lines > 100 {
		t.Errorf("go doc has %d lines, want at most 100:\n%s", lines, out)
	}
}
