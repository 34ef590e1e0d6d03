//go:build example && postgres

package e2e

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/probity-run/probity/test/harness"
	"github.com/probity-run/probity/test/ports"
)

// postgres is a PostgreSQL server for one test: on a free port of loopback, in a folder that is
// removed after it.
type postgres struct {
	t        *testing.T
	programs string // the folder of initdb, pg_ctl and psql
	folder   string
	port     int
	user     *syscall.SysProcAttr // who runs it: root must not
}

// newPostgres makes a server and starts it. If PostgreSQL is not installed, the test is skipped and
// says so.
func newPostgres(t *testing.T) *postgres {
	t.Helper()
	p := &postgres{t: t, programs: findPostgres(), port: ports.Free(t)}
	if p.programs == "" {
		t.Skip("NOT TESTED: there is no PostgreSQL here; on Debian, apt-get install postgresql")
	}
	var err error
	if p.folder, err = os.MkdirTemp("", "postgres"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(p.folder); err != nil {
			t.Error(err)
		}
	})
	p.useOrdinaryUser()
	p.run("initdb", "--pgdata", p.data(), "--username", "calculator", "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C")
	p.start()
	t.Cleanup(p.stopForGood)
	t.Logf("PostgreSQL is that of %s", p.programs)
	p.run("psql", p.url("postgres"), "-c", "CREATE DATABASE calculator")
	return p
}

// findPostgres returns the folder with the programs of the newest server: where Debian puts them,
// or on the PATH. It is empty if there is none.
func findPostgres() string {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // no number is the oldest
		return n
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) }))
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

// useOrdinaryUser gives the folder to an ordinary user, who then runs the server, if the tests run
// as root: PostgreSQL refuses to run as root.
func (p *postgres) useOrdinaryUser() {
	p.t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	ordinary, err := user.Lookup("postgres")
	if err != nil {
		ordinary, err = user.Lookup("nobody")
	}
	if err != nil {
		p.t.Fatal(err)
	}
	var uid, gid int
	if _, err := fmt.Sscan(ordinary.Uid, &uid); err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Sscan(ordinary.Gid, &gid); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Chown(p.folder, uid, gid); err != nil {
		p.t.Fatal(err)
	}
	p.user = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func (p *postgres) data() string { return filepath.Join(p.folder, "data") }

// url is what DATABASE_URL has to be.
func (p *postgres) url(database string) string {
	return fmt.Sprintf("postgres://calculator@127.0.0.1:%d/%s?sslmode=disable", p.port, database)
}

// start starts the server and waits until it answers.
func (p *postgres) start() {
	p.t.Helper()
	options := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off", p.port)
	p.run("pg_ctl", "--pgdata", p.data(), "--wait", "--log", filepath.Join(p.folder, "log"), "--options", options, "start")
}

// stop ends all connections, after which the server refuses new ones. It does not wait for its end.
func (p *postgres) stop() {
	p.t.Helper()
	p.run("pg_ctl", "--pgdata", p.data(), "--mode", "fast", "--no-wait", "stop")
}

// stopForGood stops the server, unless a test that failed has left it stopped.
func (p *postgres) stopForGood() {
	if p.tryRun("pg_ctl", "--pgdata", p.data(), "status") == nil {
		p.run("pg_ctl", "--pgdata", p.data(), "--mode", "immediate", "--wait", "stop")
	}
}

// run runs one of the server's programs, and ends the test if it fails.
func (p *postgres) run(program string, args ...string) {
	p.t.Helper()
	if err := p.tryRun(program, args...); err != nil {
		p.t.Fatalf("%v\n%s", err, harness.ReadFile(p.t, filepath.Join(p.folder, "log")))
	}
}

// tryRun runs one of the server's programs. Its output goes to a file: if it were a pipe, the
// daemon would inherit it, and the test would wait for its end.
func (p *postgres) tryRun(program string, args ...string) error {
	p.t.Helper()
	out, err := os.CreateTemp(p.folder, program+"-*.out")
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(filepath.Join(p.programs, program), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = p.folder, out, out, p.user
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %q: %w\n%s", program, args, err, harness.ReadFile(p.t, out.Name()))
	}
	return nil
}
