package system

import (
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// browser gets pages as a browser does, with its cookies.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
}

func statusOf(t *testing.T, client *http.Client, address string) int {
	t.Helper()
	response, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// TestDashboard: a link lets in, also one that another process makes; who is in stays in when the
// run is started again, at the same address.
func TestDashboard(t *testing.T) {
	dir := folder(t)
	s := started(t, t.Context(), Options{StateDir: dir})
	client := browser(t)
	link := s.DashboardLink()
	if got := statusOf(t, client, link); got != http.StatusOK {
		t.Fatalf("by the link of the run: %d", got)
	}
	pods := link[:strings.Index(link, "?")] + "pods"
	other, run, _, err := FindDashboard(t.Context(), DashboardQuery{StateDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if run.StateDir != dir {
		t.Errorf("the run is of %s, want %s", run.StateDir, dir)
	}
	if got := statusOf(t, browser(t), other); got != http.StatusOK {
		t.Errorf("by the link of another process: %d", got)
	}
	if got := statusOf(t, browser(t), pods); got != http.StatusUnauthorized {
		t.Errorf("without a link: %d", got)
	}
	info, err := os.Stat(filepath.Join(dir, dashboardName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is in a file of mode %v, %v", info.Mode(), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := FindDashboard(t.Context(), DashboardQuery{StateDir: dir}); err == nil {
		t.Error("a run that has ended has a dashboard")
	}
	started(t, t.Context(), Options{StateDir: dir})
	if got := statusOf(t, client, pods); got != http.StatusOK {
		t.Errorf("in the next run: %d", got)
	}
}

// TestNoDashboard: without it nothing is there that could lead to one.
func TestNoDashboard(t *testing.T) {
	dir := folder(t)
	s := started(t, t.Context(), Options{StateDir: dir, NoDashboard: true})
	if link := s.DashboardLink(); link != "" {
		t.Errorf("the link is %s", link)
	}
	if _, err := os.Stat(filepath.Join(dir, dashboardName)); !os.IsNotExist(err) {
		t.Errorf("there is a note of one: %v", err)
	}
	if _, _, _, err := FindDashboard(t.Context(), DashboardQuery{StateDir: dir}); err == nil {
		t.Error("it is found all the same")
	}
}
