//go:build kubectl && cluster

package kubectl

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// TestClusterScripts plays testdata/compare on a real API server and on Probity, each script in a
// namespace of its name, and compares what kubectl prints, masked, and its exit codes. Beside
// testscript's own commands there are
//
//	kubectl ARGS...          is compared
//	differs kubectl ARGS...  has two outcomes, for the reason that stands above it
//	node                     waits until all Pods are Ready; on the real server, which has no
//	                         node, it does what one would do
func TestClusterScripts(t *testing.T) {
	programs, err := buildPrograms()
	if err != nil {
		t.Fatal(err)
	}
	cluster := startCluster(t)
	defer func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	}()
	kubeconfig, _ := startServer(t, t.TempDir())
	want, got := recording{outcomes: map[string][]outcome{}}, recording{outcomes: map[string][]outcome{}}
	t.Run("cluster", func(t *testing.T) { want.play(t, programs.kubectl, cluster.Kubeconfig, true) })
	t.Run("probity", func(t *testing.T) { got.play(t, programs.kubectl, kubeconfig, false) })
	for name, outcomes := range want.outcomes {
		for i, w := range outcomes {
			if i >= len(got.outcomes[name]) {
				t.Errorf("%s: Probity has got no further than before %s", name, w.command)
				break
			}
			diff := cmp.Diff(w.text, got.outcomes[name][i].text)
			if (diff != "") != w.differs {
				t.Errorf("%s: %s, differs %v\n(-cluster +probity):\n%s", name, w.command, w.differs, diff)
			}
		}
	}
}

// recording is what came of the scripts on one server.
type recording struct {
	mu       sync.Mutex
	outcomes map[string][]outcome // by script, guarded by mu
}

// outcome is what one command has printed, and its exit code.
type outcome struct {
	command string
	differs bool
	text    string
}

// place is where a script plays, and the key by which it is found.
type place struct {
	name   string // of the script and of its namespace
	client *kubernetes.Clientset
}

func (r *recording) play(t *testing.T, kubectl, kubeconfig string, nodeless bool) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/compare",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			p, err := newPlace(env, kubeconfig)
			if err != nil {
				return err
			}
			env.Values[place{}] = p
			env.Setenv("PATH", filepath.Dir(kubectl)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", filepath.Join(env.WorkDir, ".home"))
			env.Setenv("KUBECONFIG", filepath.Join(env.WorkDir, ".kubeconfig"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"kubectl": func(ts *testscript.TestScript, _ bool, args []string) { r.kubectl(ts, args, false) },
			"differs": func(ts *testscript.TestScript, _ bool, args []string) { r.kubectl(ts, args[1:], true) },
			"node": func(ts *testscript.TestScript, _ bool, _ []string) {
				p := ts.Value(place{}).(place)
				if nodeless {
					ts.Check(p.playNode(t))
					return
				}
				ts.Check(ts.Exec("kubectl", "wait", "--for=condition=Ready", "pods", "--all", "--timeout=120s"))
			},
		},
	})
}

// newPlace makes the namespace of a script and a kubeconfig that leads there.
func newPlace(env *testscript.Env, kubeconfig string) (place, error) {
	p := place{name: strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")}
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return p, err
	}
	config.Contexts[config.CurrentContext].Namespace = p.name
	if err := clientcmd.WriteToFile(*config, filepath.Join(env.WorkDir, ".kubeconfig")); err != nil {
		return p, err
	}
	rest, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return p, err
	}
	if p.client, err = kubernetes.NewForConfig(rest); err != nil {
		return p, err
	}
	_, err = p.client.CoreV1().Namespaces().Create(context.Background(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.name}}, metav1.CreateOptions{})
	return p, err
}

// kubectl runs one command and notes what comes of it.
func (r *recording) kubectl(ts *testscript.TestScript, args []string, differs bool) {
	err := ts.Exec("kubectl", append(args, "--request-timeout=20s")...)
	text := comparable(ts.ReadFile("stdout")) + "---\n" + comparable(ts.ReadFile("stderr")) + fmt.Sprintln("---", err)
	r.mu.Lock()
	defer r.mu.Unlock()
	name := ts.Value(place{}).(place).name
	r.outcomes[name] = append(r.outcomes[name], outcome{"kubectl " + strings.Join(args, " "), differs, text})
}

// logHead is what a line of kubectl's own log begins with.
var logHead = regexp.MustCompile(`(?m)^[IWE]\d{4} \S+ +\d+ `)

// comparable is a text without what is another on each server: warnings of Probity's, the names of
// the files that diff compares, and the order of what is wrong with an object.
func comparable(text string) string {
	var lines []string
	problems := 0 // lines at the end that each tell what is wrong
	for line := range strings.Lines(logHead.ReplaceAllString(Mask(text), "LOG ")) {
		if strings.HasPrefix(line, "Warning: not applied here: ") || strings.HasPrefix(line, "diff -u") || strings.HasPrefix(line, "--- /") || strings.HasPrefix(line, "+++ /") {
			continue
		}
		lines = append(lines, line)
		if strings.HasPrefix(line, "* ") {
			problems++
			slices.Sort(lines[len(lines)-problems:])
		} else {
			problems = 0
		}
	}
	return strings.TrimSpace(strings.Join(lines, "")) + "\n"
}

// playNode binds all Pods of the namespace to a node and has them run, as Probity's does.
func (p place) playNode(t *testing.T) error {
	ctx := t.Context()
	pods, err := p.client.CoreV1().Pods(p.name).List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName="})
	if err != nil {
		return err
	}
	for _, pod := range pods.Items {
		binding := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: pod.Name}, Target: corev1.ObjectReference{Kind: "Node", Name: "probity"}}
		if err := p.client.CoreV1().Pods(p.name).Bind(ctx, binding, metav1.CreateOptions{}); err != nil {
			return err
		}
		now := metav1.Now()
		status := corev1.PodStatus{
			Phase: corev1.PodRunning, StartTime: &now, HostIP: "127.0.0.1", HostIPs: []corev1.HostIP{{IP: "127.0.0.1"}}, PodIP: "127.1.2.3", PodIPs: []corev1.PodIP{{IP: "127.1.2.3"}},
		}
		for _, c := range []corev1.PodConditionType{"PodReadyToStartContainers", corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
			status.Conditions = append(status.Conditions, corev1.PodCondition{Type: c, Status: corev1.ConditionTrue, LastTransitionTime: now})
		}
		for i, c := range pod.Spec.Containers {
			status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
				Name: c.Name, Image: c.Image, Ready: true, Started: new(true), ContainerID: fmt.Sprintf("probity://%s-%s-%d", pod.UID, c.Name, i+1),
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
			})
		}
		patch, err := json.Marshal(map[string]any{"status": status})
		if err != nil {
			return err
		}
		if _, err := p.client.CoreV1().Pods(p.name).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
			return err
		}
	}
	return nil
}
