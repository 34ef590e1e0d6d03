package faults

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
)

// handlers are four Pods, one for each probe handler, that the first failure of a probe would
// restart.
func handlers() string {
	var pods strings.Builder
	for name, handler := range map[string]string{
		"http": "httpGet: {path: /live, port: http}",
		"tcp":  "tcpSocket: {port: http}",
		"grpc": "grpc: {port: 8080}",
		"exec": "exec: {command: ['true']}",
	} {
		probe := "Probe: {" + handler + ", periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 1}\n"
		args := ""
		if name == "grpc" {
			args = "-grpc"
		}
		pods.WriteString(harness.Named(name, args, harness.Listens+"    liveness"+probe+"    readiness"+probe))
	}
	return pods.String()
}

// limit sets a soft limit, named as prlimit names it, of a running process of a user, and returns
// what undoes it. It acts as that user, as another one may not.
func limit(t *testing.T, user uint32, pid int, resource string, soft int) (lift func()) {
	t.Helper()
	set := func(value string) string {
		t.Helper()
		cmd := exec.Command("prlimit", append([]string{"--pid", strconv.Itoa(pid), "--noheadings"}, strings.Fields(value)...)...)
		if user != 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v: %s", cmd, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	old := set("--" + resource + " --output SOFT")
	set(fmt.Sprintf("--%s=%d:", resource, soft))
	return func() { t.Helper(); set("--" + resource + "=" + old + ":") }
}

const errored = "probe errored and resulted in unknown state: "

// waitErrored waits until each of the Pods has an Event which says that a probe could not be made,
// and what is missing for it.
func waitErrored(t *testing.T, r *harness.Run, text string, pods ...string) {
	t.Helper()
	r.Wait("errors of "+strings.Join(pods, ", ")+" with "+text, func([]harness.Change) bool {
		said := map[string]bool{}
		for _, e := range r.Events(errored) {
			said[e.InvolvedObject.Name] = said[e.InvolvedObject.Name] || strings.Contains(e.Message, text)
		}
		for _, pod := range pods {
			if !said[pod] {
				return false
			}
		}
		return true
	})
}

// checkUnharmed fails if the shortage counted as a failure of a service.
func checkUnharmed(t *testing.T, r *harness.Run) {
	t.Helper()
	checkNoFailures(t, r)
	for name, pod := range r.Newest() {
		if !harness.Ready(pod) {
			t.Errorf("%s is not ready", name)
		}
	}
}

// TestNoDescriptors takes all descriptors away from Probity and gives them back.
func TestNoDescriptors(t *testing.T) {
	t.Parallel()
	r := harness.Start(t, handlers(), "--max-restart-period", "1s")
	pods := r.WaitPods(4, "ready", harness.Ready)
	lift := limit(t, 0, r.PID(), "nofile", 3)
	waitErrored(t, r, "too many open files", "http", "tcp", "grpc", "exec")
	checkUnharmed(t, r)

	// a restart meanwhile waits, as no log can be opened; that does not count as a failed start
	if err := syscall.Kill(harness.PIDOf(t, pods["http"], "app"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.WaitPod("waiting for descriptors", func(p *corev1.Pod) bool {
		w := p.Status.ContainerStatuses[0].State.Waiting
		return p.Name == "http" && w != nil && w.Reason == "CreateContainerError" && strings.Contains(w.Message, "too many open files")
	})
	lift()
	checkRecovers(t, r, "http", 1)
}

// TestNoDescriptorsForTheShepherd does the same to the process that forks.
func TestNoDescriptorsForTheShepherd(t *testing.T) {
	t.Parallel()
	r := harness.Start(t, handlers(), "--max-restart-period", "1s")
	pods := r.WaitPods(4, "ready", harness.Ready)
	lift := limit(t, 0, r.Shepherd(), "nofile", 3)
	waitErrored(t, r, "no descriptor is left", "exec")
	checkUnharmed(t, r)
	if err := syscall.Kill(harness.PIDOf(t, pods["tcp"], "app"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.WaitPod("waiting for descriptors", func(p *corev1.Pod) bool {
		w := p.Status.ContainerStatuses[0].State.Waiting
		return p.Name == "tcp" && w != nil && w.Reason == "CreateContainerError" && strings.Contains(w.Message, "no descriptor is left")
	})
	lift()
	checkRecovers(t, r, "tcp", 1)
}

// checkRecovers waits until a Pod is ready again after exactly so many restarts.
func checkRecovers(t *testing.T, r *harness.Run, name string, restarts int32) {
	t.Helper()
	pod := r.WaitPod(name+" ready again", func(p *corev1.Pod) bool {
		return p.Name == name && harness.Ready(p) && p.Status.ContainerStatuses[0].State.Running != nil && p.Status.ContainerStatuses[0].RestartCount > 0
	})
	if got := pod.Status.ContainerStatuses[0].RestartCount; got != restarts {
		t.Errorf("restartCount = %d, want %d: a start for which something was missing is no instance", got, restarts)
	}
	if killed := r.Events("Killing"); len(killed) > 0 {
		t.Errorf("killed by its own supervisor's shortage: %s", harness.Line(killed[0]))
	}
}

// user is an unprivileged user of the test's own, because a limit on processes counts all processes
// of a user. It is 0, the caller, if the caller is not root.
func user(t *testing.T) uint32 {
	if os.Getuid() != 0 {
		return 0
	}
	return uint32(100_000 + os.Getpid()%100_000)
}

// TestNoProcesses takes the right to fork away from the shepherd, and to make threads from Probity.
func TestNoProcesses(t *testing.T) {
	t.Parallel()
	owner := user(t)
	r := harness.StartWith(t, harness.Options{User: owner, Args: []string{"--max-restart-period", "1s"}}, handlers())
	pods := r.WaitPods(4, "ready", harness.Ready)
	lifts := []func(){limit(t, owner, r.Shepherd(), "nproc", 1), limit(t, owner, r.PID(), "nproc", 1)}
	waitErrored(t, r, "no process could be forked; see ulimit -u", "exec")
	checkUnharmed(t, r)
	if err := syscall.Kill(harness.PIDOf(t, pods["exec"], "app"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.WaitPod("waiting for processes", func(p *corev1.Pod) bool {
		w := p.Status.ContainerStatuses[0].State.Waiting
		return p.Name == "exec" && w != nil && w.Reason == "CreateContainerError" && strings.Contains(w.Message, "no process could be forked")
	})
	for _, lift := range lifts {
		lift()
	}
	checkRecovers(t, r, "exec", 1)
}

// TestNoPorts runs Probity in a network of its own that has two ports for outgoing connections,
// both of which are taken until all have noticed.
func TestNoPorts(t *testing.T) {
	t.Parallel()
	const setUp = `ip link set lo up && echo "50000 50001" > /proc/sys/net/ipv4/ip_local_port_range && exec "$@"`
	wrap := []string{"unshare", "-n", "sh", "-c", setUp, "sh"}
	if out, err := exec.Command(wrap[0], append(wrap[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: ephemeral ports, as no network namespace can be made here (root can): %v: %s", err, out)
	}
	var pods strings.Builder
	pods.WriteString(harness.Named("http", "", tolerantProbes) +
		harness.Named("tcp", "", harness.Listens+"    livenessProbe: {tcpSocket: {port: http}, periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 1}\n"))
	for port := range 2 {
		hog := harness.Named(fmt.Sprint("hog-", port), fmt.Sprintf(`"-port=%d", "-term=exit:0"`, 50000+port), "")
		hog = strings.Replace(hog, "    ports: [{name: http, containerPort: 8080}]\n", "", 1)
		pods.WriteString(strings.Replace(hog, "spec:\n", "spec:\n  restartPolicy: OnFailure\n", 1))
	}
	// the API and the dashboard would hold the two ports for ever
	r := harness.StartWith(t, harness.Options{Wrap: wrap, Args: []string{"--no-api", "--no-dashboard"}}, pods.String())
	waitErrored(t, r, "cannot assign requested address", "http", "tcp")
	for name, pod := range r.Newest() {
		if strings.HasPrefix(name, "hog-") { // which is gone if a probe used its port first; one port is enough
			if err := syscall.Kill(harness.PIDOf(t, pod, "app"), syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Error(err)
			}
		}
	}
	r.WaitPod("ready when the ports are free again", func(p *corev1.Pod) bool { return p.Name == "http" && harness.Ready(p) })
	checkNoFailures(t, r)
}

// TestNoMemory runs Probity and its Pods in a memory control group in which one Pod takes more than
// there is: the kernel kills that one, Probity goes on and so do the others. While the first
// victim's memory comes back the kernel may take a second one; that is then the other Pod, never
// Probity, and a probe that it fails meanwhile fails for that reason alone.
func TestNoMemory(t *testing.T) {
	t.Parallel()
	group := fmt.Sprintf("/sys/fs/cgroup/memory/probity-test-%d", os.Getpid())
	file := "memory.limit_in_bytes"
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		group, file = fmt.Sprintf("/sys/fs/cgroup/probity-test-%d", os.Getpid()), "memory.max"
	}
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Skipf("NOT TESTED: memory, as no control group can be made here (root can): %v", err)
	}
	t.Cleanup(func() {
		if !harness.Within(10*time.Second, func() bool { return os.Remove(group) == nil }) {
			t.Errorf("cannot remove %s", group)
		}
	})
	if err := os.WriteFile(filepath.Join(group, file), []byte("256M"), 0o600); err != nil {
		t.Skipf("NOT TESTED: memory, as it cannot be limited here: %v", err)
	}
	wrap := []string{"sh", "-c", "echo $$ > " + group + `/cgroup.procs && exec "$@"`, "sh"}
	log := filepath.Join(t.TempDir(), "log")
	r := harness.StartWith(t, harness.Options{Wrap: wrap, Args: []string{"--max-restart-period", "1s"}},
		harness.Named("greedy", `"-port=0", "-eat=1000"`, "")+harness.Named("modest", `"-log=`+log+`"`, tolerantProbes))
	r.WaitPod("killed by the kernel, twice", func(p *corev1.Pod) bool {
		last := p.Status.ContainerStatuses
		return p.Name == "greedy" && len(last) > 0 && last[0].RestartCount >= 2 && last[0].LastTerminationState.Terminated.ExitCode == 137
	})
	r.WaitPod("ready beside it", func(p *corev1.Pod) bool { return p.Name == "modest" && harness.Ready(p) })
	r.Wait("no failure that the kernel is not the reason of", func(changes []harness.Change) bool { return explained(changes, "modest") })
}

// explained reports whether the kernel killed the Pod at least as often as a probe failed, and
// nothing but the kernel ended it.
func explained(changes []harness.Change, pod string) bool {
	failed, killed := int32(0), int32(0)
	for _, c := range changes {
		switch {
		case c.Event != nil && c.Event.InvolvedObject.Name == pod:
			if c.Event.Reason == "Killing" {
				return false
			}
			if c.Event.Reason == "Unhealthy" && !strings.HasPrefix(c.Event.Message, "Startup") {
				failed++
			}
		case c.Pod != nil && c.Pod.Name == pod && len(c.Pod.Status.ContainerStatuses) > 0:
			status := c.Pod.Status.ContainerStatuses[0]
			killed = status.RestartCount
			if last := status.LastTerminationState.Terminated; last != nil && last.ExitCode != 137 {
				return false
			}
		}
	}
	return failed <= killed
}

// TestNoInotify: where the system has no inotify instance left, a run goes on without a reload.
func TestNoInotify(t *testing.T) {
	t.Parallel()
	wrap := []string{"unshare", "-Ur", "sh", "-c", `echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"`, "sh"}
	if out, err := exec.Command(wrap[0], append(wrap[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("no user namespace with limits of its own can be had here: %v: %s", err, out)
	}
	r := harness.StartWith(t, harness.Options{Wrap: wrap}, harness.Manifest("", harness.Ready1))
	r.WaitPod("ready", harness.Ready)
	harness.WaitFor(t, "it says that manifests are not watched", func() bool { return strings.Contains(r.Stderr(), "run goes on without that") })
}
