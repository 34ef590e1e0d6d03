package dashboard

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/dashboard/markup"
)

func TestFromFolder(t *testing.T) {
	for _, tt := range []struct{ folder, file, want string }{
		{"/home/me/shop", "/home/me/shop/deploy/app.yaml", "deploy/app.yaml"},
		{"/home/me/shop", "/home/me/shop/app.yaml:31", "app.yaml:31"},
		{"/home/me/shop", "/home/me/other/app.yaml", "/home/me/other/app.yaml"},
		{"/home/me/shop", "/home/me/shopping/app.yaml", "/home/me/shopping/app.yaml"},
		{"/home/me/shop", "deploy/app.yaml", "deploy/app.yaml"},
		{"/home/me/shop", "", ""},
		{"", "/home/me/shop/app.yaml", "/home/me/shop/app.yaml"},
	} {
		s := &Server{opts: Options{Folder: tt.folder}}
		if got := s.fromFolder(tt.file); got != tt.want {
			t.Errorf("%s from %s: %q, want %q", tt.file, tt.folder, got, tt.want)
		}
	}
}

// TestPathsOnPages: a page shows no path above the folder of the run.
func TestPathsOnPages(t *testing.T) {
	f := newFixture(t)
	f.opts.Folder = filepath.Dir(f.deployment(t, true))
	pages := map[string]string{
		`title="app.yaml:`:                   string(markup.Page(e("p", f.place(f.check()[0])))),
		">probity simulate app.yaml --fault": f.ask(http.MethodGet, "/ui/simulate?workload=deployment/default/web").Body.String(),
	}
	for want, body := range pages {
		if !strings.Contains(body, want) || strings.Contains(body, f.opts.Folder) {
			t.Errorf("without %s, or with %s: %s", want, f.opts.Folder, body)
		}
	}
}
