package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
)

// nobody is a user without any right.
const nobody = 65534

// asUsers runs a test as the caller, and as a plain user if the caller is root.
func asUsers(t *testing.T, test func(t *testing.T, user uint32)) {
	t.Parallel()
	users := map[string]uint32{"caller": 0}
	if os.Geteuid() == 0 {
		users["plain user"] = nobody
	}
	for name, user := range users {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), role(t, "try-namespace"))
			if user != 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
			}
			if out, err := cmd.CombinedOutput(); err != nil || string(out) != "<nil>\n" {
				t.Skipf("this machine lets nobody make namespaces: %s%v", out, err)
			}
			test(t, user)
		})
	}
}

// database is a Pod behind a headless Service: its name leads to the Pod's address.
var database = harness.Named("db", "", harness.Ready1) + `---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 8080}]}
`

func withLabel(manifest, name string) string {
	return strings.Replace(manifest, "metadata: {name: "+name+"}", "metadata: {name: "+name+", labels: {app: "+name+"}}", 1)
}

// script is a Pod that runs a shell script.
func script(name, text string) string {
	return fmt.Sprintf(`---
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  hostname: front
  hostAliases: [{ip: 127.99.0.1, hostnames: [alias]}]
  containers:
  - name: app
    image: example
    command:
    - sh
    - -c
    - |
      %s
`, name, strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n      "))
}

// printed is what a container has printed, as r shows it.
func printed(r *harness.Run, pod string) (lines []string) {
	for line := range strings.Lines(r.Stderr()) {
		if text, ok := strings.CutPrefix(line, pod+" | "); ok {
			lines = append(lines, strings.TrimSpace(text))
		}
	}
	return lines
}

// resolvers are commands that print the addresses of a name, as different languages find them.
func resolvers(t *testing.T) map[string]string {
	goProgram := role(t, "lookup")
	all := map[string]string{
		"go": "GODEBUG=netdns=go " + goProgram, "cgo": "GODEBUG=netdns=cgo " + goProgram,
		"getent": "getent ahostsv4",
		"python": `/usr/bin/python3 -c 'import socket,sys; print(socket.getaddrinfo(sys.argv[1], 80, socket.AF_INET)[0][4][0])'`,
		"node":   `/usr/bin/node -e 'require("dns").lookup(process.argv[1], 4, (e, a) => console.log(e || a))'`,
	}
	for name, command := range all {
		words := strings.Fields(command)
		program := words[slices.IndexFunc(words, func(w string) bool { return !strings.Contains(w, "=") })]
		if _, err := exec.LookPath(program); err != nil {
			t.Logf("%s is not tried: %v", name, err)
			delete(all, name)
		}
	}
	return all
}

// TestNamesInEveryLanguage: a program finds a Service by all forms of its name, its own name and an
// alias.
func TestNamesInEveryLanguage(t *testing.T) {
	asUsers(t, func(t *testing.T, user uint32) {
		var text strings.Builder
		text.WriteString("until getent hosts db >/dev/null; do sleep 0.1; done\n")
		all := resolvers(t)
		names := []string{"db", "db.default", "db.default.svc", "db.default.svc.cluster.local", "db.default.svc.cluster.local.", "alias", "front"}
		for language, command := range all {
			for _, name := range names {
				fmt.Fprintf(&text, "echo %s %s $(%s %s | head -n 1)\n", language, name, command, name)
			}
		}
		text.WriteString("echo kernel $(uname -n) $HOSTNAME\n")
		r := harness.StartWith(t, harness.Options{User: user}, withLabel(database, "db")+script("client", text.String()))
		pods := r.WaitPods(2, "there, and the client has ended", func(p *corev1.Pod) bool {
			return p.Name == "db" && harness.Ready(p) || p.Name == "client" && p.Status.Phase == corev1.PodSucceeded
		})
		own := map[string]string{"alias": "127.99.0.1", "front": pods["client"].Status.PodIP}
		harness.WaitFor(t, "the last line", func() bool { return slices.Contains(printed(r, "client"), "kernel front front") })
		lines := printed(r, "client")
		for language := range all {
			for _, name := range names {
				want := own[name]
				if want == "" {
					want = pods["db"].Status.PodIP
				}
				begin := language + " " + name + " "
				i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, begin) })
				if i < 0 || !strings.HasPrefix(lines[i], begin+want) {
					t.Errorf("%s does not say %s", begin, want)
				}
			}
		}
		if t.Failed() {
			t.Logf("printed:\n%s", strings.Join(lines, "\n"))
		}
		r.Interrupt()
		r.Exit()
	})
}

// TestNamesBeforeOthers: sources of the C library that answer before the hosts file are put aside:
// another order in nsswitch.conf, and the name service cache.
func TestNamesBeforeOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give the machine another nsswitch.conf")
	}
	t.Parallel()
	nsswitch := filepath.Join(t.TempDir(), "nsswitch.conf")
	if err := os.WriteFile(nsswitch, []byte("passwd: files\nhosts: dns [!UNAVAIL=return] files\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := harness.StartWith(t, harness.Options{Wrap: []string{"unshare", "-m", "sh", "-c",
		`mount -t tmpfs none /run && mkdir /run/nscd && touch /run/nscd/socket && mount --bind "$0" /etc/nsswitch.conf && exec "$@"`, nsswitch}},
		script("client", "getent ahostsv4 alias\ngrep hosts /etc/nsswitch.conf\necho nscd $(ls /var/run/nscd)"))
	r.WaitPod("at its end", func(p *corev1.Pod) bool {
		return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	})
	harness.WaitFor(t, "the last line", func() bool { return slices.Contains(printed(r, "client"), "nscd") })
	lines := printed(r, "client")
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "127.99.0.1 ") }) || !slices.Contains(lines, "hosts: files dns [!UNAVAIL=return]") {
		t.Errorf("printed:\n%s", strings.Join(lines, "\n"))
	}
	r.Interrupt()
	r.Exit()
}

// TestOneNamespacePerPod: all that runs for a Pod sees the same mounts and host name, and nobody
// else does.
func TestOneNamespacePerPod(t *testing.T) {
	asUsers(t, func(t *testing.T, user uint32) {
		const note = `echo $(readlink /proc/self/ns/mnt /proc/self/ns/uts /proc/self/ns/user) `
		manifest := withLabel(database, "db") + `---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 5
  initContainers:
  - {name: init, image: example, command: [sh, -c, "` + note + ` init"]}
  - {name: side, image: example, restartPolicy: Always, command: [sh, -c, "` + note + ` side; exec sleep 1000"]}
  containers:
  - name: app
    image: example
    command: [sh, -c, "` + note + ` app; sleep 1; exit 1"]
    lifecycle: {postStart: {exec: {command: [sh, -c, "` + note + ` hook >>$PROBITY_VOLUME_NOTES/hook"]}}}
    startupProbe: {periodSeconds: 1, failureThreshold: 100, exec: {command: [sh, -c, "` + note + ` probe >>$PROBITY_VOLUME_NOTES/probe; false"]}}
  volumes: [{name: notes, emptyDir: {}}]
`
		r := harness.StartWith(t, harness.Options{User: user}, manifest)
		var found map[string][]string // by who printed it
		harness.WaitFor(t, "everybody has said where it is, the app twice", func() bool {
			found = map[string][]string{}
			said := printed(r, "web")
			for line := range strings.Lines(r.Stderr()) {
				if _, text, ok := strings.Cut(line, " | "); ok && strings.HasPrefix(line, "web/") {
					said = append(said, strings.TrimSpace(text))
				}
			}
			notes, _ := filepath.Glob(filepath.Join(r.StateDir(), "pods", "default_web_*", "volumes", "notes", "*"))
			for _, file := range notes {
				said = append(said, strings.Split(strings.TrimSpace(harness.ReadFile(t, file)), "\n")...)
			}
			for _, line := range said {
				if i := strings.LastIndex(line, " "); i > 0 && strings.HasPrefix(line, "mnt:") {
					found[line[i+1:]] = append(found[line[i+1:]], line[:i])
				}
			}
			return len(found["init"]) > 0 && len(found["side"]) > 0 && len(found["app"]) > 1 && len(found["hook"]) > 0 && len(found["probe"]) > 0
		})
		first := found["init"][0]
		for who, places := range found {
			for _, place := range places {
				if place != first {
					t.Errorf("%s is in %s, and the first init container in %s", who, place, first)
				}
			}
		}
		mounts, err := os.Readlink("/proc/self/ns/mnt")
		if err != nil {
			t.Fatal(err)
		}
		db := harness.PIDOf(t, r.WaitPods(2, "there", func(p *corev1.Pod) bool { return p.Name != "db" || harness.Ready(p) })["db"], "app")
		other, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", db))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(first, mounts) || strings.HasPrefix(first, other) || other == mounts {
			t.Errorf("the Pod is in %s, another in %s, everybody else in %s", first, other, mounts)
		}
		r.Interrupt()
		r.Exit()
	})
}

// outside is what everybody sees of names and mounts.
func outside(t *testing.T) string {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	var mounts []string // other tests may have folders mounted for a moment
	for line := range strings.Lines(harness.ReadFile(t, "/proc/self/mountinfo")) {
		if regexp.MustCompile(`/etc/|nscd| / / `).MatchString(line) {
			mounts = append(mounts, line)
		}
	}
	return host + "\n" + harness.ReadFile(t, "/etc/hosts") + strings.Join(mounts, "")
}

// TestNothingIsSeenOutside: not while Pods have names, and not after Probity was killed; and
// nothing of them survives it.
func TestNothingIsSeenOutside(t *testing.T) {
	asUsers(t, func(t *testing.T, user uint32) {
		before := outside(t)
		r := harness.StartWith(t, harness.Options{User: user}, withLabel(database, "db")+harness.Named("web", `"-term=ignore"`, harness.Ready1))
		pods := r.WaitPods(2, "ready", harness.Ready)
		if now := outside(t); now != before {
			t.Errorf("outside was\n%s\nand is, while Pods run\n%s", before, now)
		}
		r.Signal(syscall.SIGKILL)
		for name, pod := range pods {
			pid := harness.PIDOf(t, pod, "app")
			harness.WaitFor(t, "the end of "+name, func() bool { return !harness.Alive(pid) })
		}
		if now := outside(t); now != before {
			t.Errorf("outside was\n%s\nand is, after all were killed\n%s", before, now)
		}
	})
}

// TestNamesRefused: a machine that lets nobody make namespaces runs the Pods all the same, and says
// once why names are not found, and what helps.
func TestNamesRefused(t *testing.T) {
	asUsers(t, func(t *testing.T, user uint32) {
		for name, wrap := range map[string][]string{
			"seccomp": {role(t, "without-unshare")},
			"chroot":  inChroot(t, user),
		} {
			if wrap == nil {
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				opts := harness.Options{User: user, Wrap: wrap}
				r := harness.StartWith(t, opts, withLabel(database, "db")+script("client", "echo host $HOSTNAME"))
				r.WaitPods(2, "there", func(p *corev1.Pod) bool {
					return p.Name == "db" && harness.Ready(p) || p.Status.Phase == corev1.PodSucceeded
				})
				harness.WaitFor(t, "what the client prints", func() bool { return slices.Contains(printed(r, "client"), "host front") })
				const says = "probity: programs do not find Services by name here, because Pods can have no hosts file of their own ("
				if got := strings.Count(r.Stderr(), says); got != 1 {
					t.Errorf("it was said %d times", got)
				}
				if !strings.Contains(r.Stderr(), "chroot") || !strings.Contains(r.Stderr(), "--names=env") {
					t.Errorf("no remedy is named:\n%s", r.Stderr())
				}
				r.Interrupt()
				r.Exit()
			})
		}
	})
}

// inChroot is a command that runs another in a chroot that has all files: its root is a mount, so
// that only the check of the root tells. Nil if the caller may not.
func inChroot(t *testing.T, user uint32) []string {
	if os.Geteuid() != 0 || user != 0 {
		return nil
	}
	return []string{"unshare", "-m", "sh", "-c", `mount --rbind / "$0" && exec chroot "$0" "$@"`, t.TempDir()}
}
