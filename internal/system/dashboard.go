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
	StateDir  string   `json:"stateDir"`  // as the run has it; there may be links to it
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
	note.Port, note.Manifests, note.StateDir = at.Port(), s.Describe().Manifests, s.state.dir
	d.note = note
	if err := writeNote(s.state.root, dashboardName, note); err != nil {
		return nil, errors.Join(err, d.listener.Close())
	}
	var names []string
	for _, path := range s.opts.Manifests {
		names = append(names, filepath.Base(path))
	}
	folder, _ := os.Getwd() // without it files are shown by their whole paths
	opts := dashboard.Options{
		Instance: dashboardInstance(s.state.dir), Key: note.Key, Port: note.Port, Title: strings.Join(names, " "), Files: s.Files(), Folder: folder, Version: s.opts.Version,
		Store: s.store, Registry: s.registry, Fields: s.fields, History: s.History(), Runner: s, Logger: s.opts.Logger, Drills: s.opts.Drills,
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
	err = readNote(root, dashboardName, &note)
	return note, err
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

// DashboardIsOpen reports whether a browser shows a page of the dashboard.
func (s *System) DashboardIsOpen() bool { return s.dashboard != nil && s.dashboard.server.IsOpen() }

func (n *dashboardNote) link() string {
	return fmt.Sprintf("http://127.0.0.1:%d/ui/?t=%s", n.Port, dashboard.NewOnce(n.Key, time.Now()))
}

// DashboardQuery says whose dashboard is meant. The zero value is the only one.
type DashboardQuery struct {
	// StateDir is the state folder of the run. Default: that is found out.
	StateDir string
	// Manifests are those that the run was started with. Default: any.
	Manifests []string
	// Instance and Folder are those of [ChooseRun].
	Instance, Folder string
}

// FindDashboard is a fresh link to the dashboard of the run of another process, and the run;
// elsewhere is as in [ChooseRun]. Runs without an API have one too. The error is an [*InputError].
func FindDashboard(ctx context.Context, q DashboardQuery) (link string, run Run, elsewhere bool, err error) {
	if q.StateDir != "" {
		note, err := dashboardOf(ctx, q.StateDir)
		if err != nil {
			return "", run, false, &InputError{fmt.Errorf("cannot find the dashboard of %s: %w", q.StateDir, err)}
		}
		return note.link(), note.run(), false, nil
	}
	notes, err := dashboards(ctx, q.Manifests)
	if err != nil {
		return "", run, false, &InputError{err}
	}
	var runs []Run
	for _, note := range notes {
		runs = append(runs, note.run())
	}
	if len(runs) == 0 {
		return "", run, false, &InputError{errors.New("no probity run with a dashboard is there: start one with probity run, or name its folder with --state-dir")}
	}
	if run, elsewhere, err = ChooseRun(runs, q.Instance, q.Folder); err != nil {
		return "", run, false, &InputError{err}
	}
	chosen := slices.IndexFunc(runs, func(r Run) bool { return r.StateDir == run.StateDir })
	return notes[chosen].link(), run, elsewhere && len(q.Manifests) == 0, nil
}

// dashboards are the notes of those that answer, of the runs of these manifests if any are given.
func dashboards(ctx context.Context, paths []string) (notes []dashboardNote, err error) {
	home, err := stateHome()
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(home, "*", dashboardName))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		note, err := dashboardOf(ctx, filepath.Dir(file)) // without an answer it is none
		if err == nil && (len(paths) == 0 || slices.Equal(resolved(note.Manifests), resolved(paths))) {
			notes = append(notes, note)
		}
	}
	return notes, nil
}

// run is the run of a note, as far as that tells.
func (n *dashboardNote) run() Run { return Run{StateDir: n.StateDir, Manifests: n.Manifests} }

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
	if response.Header.Get(dashboard.RunHeader) != dashboardInstance(note.StateDir) {
		return note, errors.New("another program answers at its port")
	}
	return note, nil
}
