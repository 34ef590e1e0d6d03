package system

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestChoose: other commands change a run only if their files are of its files or folders.
func TestChoose(t *testing.T) {
	dir := folder(t)
	for _, name := range []string{"shop", "bank", "mono/a", "mono/b"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "shop"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	run := func(paths ...string) Run {
		for i, path := range paths {
			paths[i] = filepath.Join(dir, path)
		}
		return Run{StateDir: paths[0], Manifests: paths}
	}
	shop, bank, mono, monoA, input := run("shop/web.yaml", "shop/db.yaml"), run("bank"), run("mono/a/x.yaml"), run("mono/a/y.yaml"), Run{StateDir: "input"}
	for name, test := range map[string]struct {
		running []Run
		paths   []string
		want    Run
		refusal string
	}{
		"the same files":                {[]Run{shop, bank}, []string{"shop/web.yaml", "shop/db.yaml"}, shop, ""},
		"one of them":                   {[]Run{shop, bank}, []string{"shop/db.yaml"}, shop, ""},
		"by a link":                     {[]Run{shop, bank}, []string{"link/db.yaml"}, shop, ""},
		"beside them":                   {[]Run{shop, bank}, []string{"shop/new.yaml"}, shop, ""},
		"of a folder":                   {[]Run{shop, bank}, []string{"bank/new.yaml"}, bank, ""},
		"beside a folder":               {[]Run{bank}, []string{"new.yaml"}, Run{}, "no probity run was started with"},
		"below a folder":                {[]Run{bank}, []string{"bank/sub/new.yaml"}, Run{}, "no probity run was started with"},
		"another project's, one run":    {[]Run{shop}, []string{"bank/app.yaml"}, Run{}, "no probity run was started with"},
		"one of theirs and a stranger":  {[]Run{shop}, []string{"shop/web.yaml", "bank/app.yaml"}, Run{}, "no probity run was started with"},
		"a run of standard input":       {[]Run{input}, []string{"shop/web.yaml"}, Run{}, "standard input"},
		"no run at all":                 {nil, []string{"shop/web.yaml"}, Run{}, "no probity run is there"},
		"two runs of one folder, exact": {[]Run{mono, monoA}, []string{"mono/a/y.yaml"}, monoA, ""},
		"two runs of one folder":        {[]Run{mono, monoA}, []string{"mono/a/z.yaml"}, Run{}, "2 runs could be meant"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := choose(test.running, run(append([]string{}, test.paths...)...).Manifests)
			if got.StateDir != test.want.StateDir {
				t.Errorf("chose %v, want %v", got, test.want)
			}
			if test.refusal == "" && err != nil || test.refusal != "" && (err == nil || !strings.Contains(err.Error(), test.refusal)) {
				t.Errorf("error %v, want %q", err, test.refusal)
			}
			for _, r := range test.running {
				if err != nil && test.refusal != "2 runs could be meant" && !strings.Contains(err.Error(), r.StateDir) {
					t.Errorf("error %v: does not list %s", err, r.StateDir)
				}
			}
		})
	}
}

// TestLongPath: a long path of the state folder is no obstacle.
func TestLongPath(t *testing.T) {
	dir := filepath.Join(folder(t), strings.Repeat("d", 120), strings.Repeat("e", 120))
	s := started(t, t.Context(), Options{StateDir: dir})
	<-s.api.ready
	path := podOf(t, filepath.Join(folder(t), "pod.yaml"), "web", "Always", "exec sleep 60")
	run, lines, err := RequestApply(t.Context(), dir, []string{path})
	if err != nil || len(lines) != 1 || run.PID != os.Getpid() {
		t.Errorf("applied %q to %v, %v", lines, run, err)
	}
}

// TestRequestApplyRefused: a folder of others is not trusted, and where no API is served the answer
// says so.
func TestRequestApplyRefused(t *testing.T) {
	open, none := folder(t), folder(t)
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	started(t, t.Context(), Options{StateDir: none, NoAPI: true})
	for dir, want := range map[string]string{open: "can be written to by others", none: "a run with --no-api takes no requests"} {
		_, _, err := RequestApply(t.Context(), dir, []string{"/x.yaml"})
		if _, isInput := errors.AsType[*InputError](err); !isInput || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want an InputError with %q", err, want)
		}
	}
}
