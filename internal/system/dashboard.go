package system

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/dashboard"
	"github.com/probity-run/probity/internal/ownfile"
)

// dashboardName is the file of the state folder with what the dashboard needs in the next run too.
const dashboardName = "dashboard.json"

// dashboardKeyBytes is how long the key is.
const dashboardKeyBytes = 32

// dashboardNote is kept so that pages that are open find the dashboard of the next run, and are let
// in. Who can read it is let in.
type dashboardNote struct {
	Key       []byte   `json:"key"`
	Port      uint16   `json:"port"`
	Manifests []string `json:"manifests"` // absolute
}

// dashboardHost serves the dashboard of a system. Whatever goes wrong with it, the Pods run on.
type dashboardHost struct {
	listener net.Listener // nil: there is none
	server   *dashboard.Server
	note     dashboardNote
}

// offerDashboard opens the dashboard. Without it the system does all the same.
func (s *System) offerDashboard() {
	var err error
	if s.dashboard, err = s.openDashboard(); err != nil {
		s.remarks = append(s.remarks, fmt.Sprintf("probity: no dashboard: %v; --no-dashboard does without", err))
	}
}

// openDashboard begins to listen. Nobody is answered before run.
func (s *System) openDashboard() (*dashboardHost, error) {
	note, err := readDashboardNote(s.state.root)
	if err != nil {
		return nil, err
	}
	if len(note.Key) != dashboardKeyBytes {
		note.Key = make([]byte, dashboardKeyBytes)
		rand.Read(note.Key) // never fails
	}
	listeners, at, err := listenAPI(context.Background(), netip.Addr{}, note.Port)
	if err != nil {
		return nil, err
	}
	d := &dashboardHost{listener: listeners[0]}
	note.Port, note.Manifests = at.Port(), s.Describe().Manifests
	d.note = note
	if err := writeNote(s.state.root, dashboardName, note); err != nil {
		return nil, errors.Join(err, d.listener.Close())
	}
	var names []string
	for _, path := range s.opts.Manifests {
		names = append(names, filepath.Base(path))
	}
	opts := dashboard.Options{
		Instance: dashboardInstance(s.state.dir), Key: note.Key, Port: note.Port, Title: strings.Join(names, " "), Files: s.Files(), Version: s.opts.Version,
		Store: s.store, Registry: s.registry, Fields: s.fields, History: s.History(), Runner: s, Logger: s.opts.Logger,
	}
	if s.proxy != nil {
		opts.Traffic = s.proxy.State
	}
	d.server = dashboard.New(opts)
	return d, nil
}

// readDashboardNote reads what the last run noted; the zero value if there was none.
func readDashboardNote(root *os.Root) (note dashboardNote, err error) {
	if _, err := ownfile.Read(root, dashboardName, ownfile.Private); errors.Is(err, fs.ErrNotExist) {
		return note, nil
	} else if err != nil {
		return note, fmt.Errorf("cannot read what the dashboard was: %w; without that file another key is made", err)
	}
	return note, readNote(root, dashboardName, &note)
}

// dashboardInstance tells the run of a state folder from others in the name of a cookie, which
// takes few characters.
func dashboardInstance(dir string) string {
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:6])
}

// run serves until the context is done.
func (d *dashboardHost) run(ctx context.Context) error {
	err := d.server.Serve(ctx, d.listener)
	<-ctx.Done()
	return err
}

// DashboardLink is an address that opens the dashboard within a minute, once; "" if there is none.
func (s *System) DashboardLink() string {
	if s.dashboard == nil {
		return ""
	}
	return s.dashboard.note.link()
}

func (n *dashboardNote) link() string {
	return fmt.Sprintf("http://127.0.0.1:%d/ui/?t=%s", n.Port, dashboard.NewOnce(n.Key, time.Now()))
}

// FindDashboard is a fresh link to the dashboard of the run of another process: that whose state
// folder is dir or, if that is empty, the one that was started with the manifests, or the only one.
// The error is an [*InputError].
func FindDashboard(ctx context.Context, dir string, paths []string) (link string, err error) {
	if dir != "" {
		note, err := dashboardOf(ctx, dir)
		if err != nil {
			return "", &InputError{fmt.Errorf("cannot find the dashboard of %s: %w", dir, err)}
		}
		return note.link(), nil
	}
	home, err := stateHome()
	if err != nil {
		return "", &InputError{err}
	}
	files, err := filepath.Glob(filepath.Join(home, "*", dashboardName))
	if err != nil {
		return "", err
	}
	var running []dashboardNote
	var folders []string
	for _, file := range files {
		note, err := dashboardOf(ctx, filepath.Dir(file)) // without an answer it is none
		if err == nil && (len(paths) == 0 || slices.Equal(resolved(note.Manifests), resolved(paths))) {
			running, folders = append(running, note), append(folders, filepath.Dir(file))
		}
	}
	switch len(running) {
	case 0:
		return "", &InputError{errors.New("no probity run with a dashboard is there: start one with probity run, or name its folder with --state-dir")}
	case 1:
		return running[0].link(), nil
	}
	return "", &InputError{fmt.Errorf("%d runs have a dashboard: name the manifests of one, or its folder with --state-dir; there are:\n  %s", len(running), strings.Join(folders, "\n  "))}
}

// dashboardOf is the note of a run whose dashboard answers.
func dashboardOf(ctx context.Context, dir string) (note dashboardNote, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return note, err
	}
	defer root.Close() // it is only read
	if err := checkOwnDir(root, dir); err != nil {
		return note, err
	}
	if note, err = readDashboardNote(root); err != nil {
		return note, err
	}
	if len(note.Key) != dashboardKeyBytes {
		return note, errors.New("no run has served a dashboard from there")
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/ui/", note.Port), nil)
	if err != nil {
		return note, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return note, fmt.Errorf("nobody answers: %w", err)
	}
	_ = response.Body.Close()
	if response.Header.Get(dashboard.RunHeader) != dashboardInstance(dir) {
		return note, errors.New("another program answers at its port")
	}
	return note, nil
}
