//go:build kubectl && k9s

package kubectl

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// tmux is a terminal of 120x40 in which k9s runs.
type tmux struct {
	t      *testing.T
	socket string
}

// startK9s starts k9s on a run in a terminal.
func startK9s(t *testing.T, kubeconfig, namespace string) tmux {
	t.Helper()
	k9s, home := must(BuildK9s(t.Context()))(t), t.TempDir()
	// it asks GitHub for a newer version otherwise
	config := "k9s:\n  skipLatestRevCheck: true\n  refreshRate: 1\n  ui: {logoless: true, splashless: true}\n"
	if err := os.WriteFile(filepath.Join(home, "config.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	m := tmux{t, filepath.Join(home, "tmux")}
	kubectl := must(buildPrograms())(t).kubectl // by which k9s opens a shell
	cmd := exec.Command("tmux", "-S", m.socket, "-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40",
		k9s, "--kubeconfig", kubeconfig, "-n", namespace, "--command", "pods", "--logFile", filepath.Join(home, "log"))
	cmd.Env = append(os.Environ(), "K9S_CONFIG_DIR="+home, "HOME="+home, "TERM=xterm-256color", "LC_ALL=C.UTF-8",
		"PATH="+filepath.Dir(kubectl)+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot start tmux: %v\n%s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", m.socket, "kill-server").Run() }) // it may have ended
	return m
}

// screen is what the terminal shows.
func (m tmux) screen() string {
	out, err := exec.Command("tmux", "-S", m.socket, "capture-pane", "-p").Output()
	if err != nil {
		m.t.Fatalf("k9s has ended: %v", err)
	}
	return string(out)
}

// keys presses keys, as tmux names them.
func (m tmux) keys(keys ...string) {
	m.t.Helper()
	if out, err := exec.Command("tmux", append([]string{"-S", m.socket, "send-keys"}, keys...)...).CombinedOutput(); err != nil {
		m.t.Fatalf("cannot press %v: %v\n%s", keys, err, out)
	}
}

// shows waits until the terminal shows what a pattern matches, and no error.
func (m tmux) shows(pattern string) {
	m.t.Helper()
	var screen string
	wanted := regexp.MustCompile(pattern)
	found := within(timeout, func() bool {
		screen = m.screen()
		return wanted.MatchString(screen) || strings.Contains(screen, "😡")
	})
	if !found || strings.Contains(screen, "😡") {
		m.t.Fatalf("the terminal does not show %q, or an error:\n%s", pattern, screen)
	}
}

const k9sManifest = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"talk"},"spec":{"replicas":1,
"selector":{"matchLabels":{"app":"talk"}},"template":{"metadata":{"labels":{"app":"talk"}},"spec":{"terminationGracePeriodSeconds":1,
"containers":[{"name":"app","image":"example","command":["sh","-c","trap 'exit 0' TERM; while :; do echo it talks; sleep 1; done"]}]}}}}`

// TestK9s plays the views that people use most: Pods, logs, describe, a shell, kill, scale.
func TestK9s(t *testing.T) {
	c := connect(t)
	cmd := exec.CommandContext(t.Context(), must(buildPrograms())(t).kubectl, "--kubeconfig", c.kubeconfig, "-n", c.namespace, "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(k9sManifest)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m := startK9s(t, c.kubeconfig, c.namespace)
	m.shows(`(?i)pods\(` + c.namespace + `\)\[1\](.|\n)*talk-\S+ .*Running`)
	m.keys("l")
	m.shows(`(?i)logs(.|\n)*it talks`)
	m.keys("Escape")
	m.shows(`(?i)pods\(`)
	m.keys("d")
	m.shows(`(?i)describe(.|\n)*Namespace: +` + c.namespace)
	m.keys("Escape")
	m.shows(`(?i)pods\(`)

	m.keys("s")
	m.shows(`[$#] *\n`)
	m.keys("echo $((40+2)) is the answer", "Enter")
	m.shows(`\n42 is the answer`)
	m.keys("exit", "Enter")
	m.shows(`(?i)pods\(`)

	before := podNames(t, c)
	m.keys("C-k")
	eventually(t, "another Pod is there", func() bool { now := podNames(t, c); return len(now) == 1 && now[0] != before[0] })

	m.keys(":deployments", "Enter")
	m.shows(`(?i)deployments\(` + c.namespace + `\)\[1\]`)
	m.keys("s")
	m.shows(`Replicas:`)
	m.keys("End", "BSpace", "3", "Tab", "Enter")
	eventually(t, "there are three replicas", func() bool {
		d, err := c.typed.AppsV1().Deployments(c.namespace).Get(t.Context(), "talk", metav1.GetOptions{})
		return err == nil && *d.Spec.Replicas == 3
	})
	m.shows(`talk +3/3`)
}

// podNames are those of the Pods that are not on their way out.
func podNames(t *testing.T, c clients) (names []string) {
	t.Helper()
	for _, pod := range must(c.typed.CoreV1().Pods(c.namespace).List(t.Context(), metav1.ListOptions{}))(t).Items {
		if pod.DeletionTimestamp == nil {
			names = append(names, pod.Name)
		}
	}
	return names
}
