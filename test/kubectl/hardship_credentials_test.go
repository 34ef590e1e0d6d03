//go:build kubectl && cluster

package kubectl

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// plugin is a program that gives tokens, as those of cloud providers do.
type plugin struct {
	kubeconfig string
	calls      string // a file with a line for each call
}

// plugin makes one that gives a token first, and then another, to the user of a kubeconfig.
func newPlugin(t *testing.T, kubeconfig, first, then string) plugin {
	t.Helper()
	dir := t.TempDir()
	calls, program := filepath.Join(dir, "calls"), filepath.Join(dir, "plugin")
	script := `#!/bin/sh
token=` + first + `
if [ -e ` + calls + ` ]; then token=` + then + `; fi
echo called >>` + calls + `
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$token'"}}'
`
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	config := must(clientcmd.LoadFromFile(kubeconfig))(t)
	for _, user := range config.AuthInfos {
		user.Token = ""
		user.Exec = &api.ExecConfig{APIVersion: "client.authentication.k8s.io/v1", Command: program, InteractiveMode: api.NeverExecInteractiveMode}
	}
	path := filepath.Join(dir, "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return plugin{path, calls}
}

// called is how often it was asked.
func (p plugin) called(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile(p.calls)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(data), "\n")
}

// expiring is a desk at which a token is good for so many requests. What comes with it then, the
// server gets with one that it does not know.
func expiring(token string, good int) desk {
	var asked atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Header.Get("Authorization") == "Bearer "+token && asked.Add(1) > int64(good) {
			r.Header.Set("Authorization", "Bearer expired")
		}
		next.ServeHTTP(w, r)
	}
}

// expiries are after how many requests a token expires: with each of those that plan, apply, list
// and watch in turn.
const expiries = 28

// testExpired: a token that expires is fetched anew, whatever is asked for at that moment, and
// nobody hears of it.
func (h hardship) testExpired(t *testing.T) {
	for good := range expiries {
		t.Run(fmt.Sprint(good), func(t *testing.T) {
			t.Parallel()
			c := h.connect(t)
			p := newPlugin(t, h.desk(t, expiring(clusterToken, good)), clusterToken, countedToken)
			d := h.deployer(t, p.kubeconfig)
			run := h.begin(t, p.kubeconfig, "deploy", d.write(t, "shop.yaml", shop("web:1", settings)), "-n", c.namespace)
			run.wants(t, 0, "configmap/settings created", "deployment/web created", "up: deployment/web 2 of 2")
			if calls := p.called(t); calls > 2 || calls < 2 && good < 20 {
				t.Errorf("the plugin was called %d times", calls)
			}
			if says := run.output(); strings.Contains(says, "nauthorized") || strings.Contains(says, "not heard") {
				t.Errorf("it tells of it:\n%s", says)
			}
		})
	}
}

// expiringWith is a desk at which a token expires with the first request of a kind.
func expiringWith(token string, first func(*http.Request) bool) desk {
	var expired atomic.Bool
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if first(r) {
			expired.Store(true)
		}
		if expired.Load() && r.Header.Get("Authorization") == "Bearer "+token {
			r.Header.Set("Authorization", "Bearer expired")
		}
		next.ServeHTTP(w, r)
	}
}

// testExpiredForGood: a plugin that has no better token is asked once more, and then it is over.
// The exit code says whether something was sent.
func (h hardship) testExpiredForGood(t *testing.T) {
	for name, c := range map[string]struct {
		first func(*http.Request) bool // with which the token expires
		code  int
		texts []string
	}{
		"while it plans": {func(r *http.Request) bool { return r.URL.Query().Get("dryRun") != "" }, 2, []string{"Unauthorized", "nothing was sent"}},
		"while it applies": {
			func(r *http.Request) bool {
				return strings.HasSuffix(r.URL.Path, "/deployments/web") && r.Method == http.MethodPatch && r.URL.Query().Get("dryRun") == ""
			},
			3, []string{"not known: deployment/web: ", "Unauthorized", "configmap/settings created", "deployment/web unknown"},
		},
		"while it follows": {
			func(r *http.Request) bool { return r.URL.Query().Get("watch") != "" },
			3, []string{"deployment/web created", "the rollout goes on, and is not watched any longer: not known: ", "Unauthorized"},
		},
	} {
		for _, hasPlugin := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, plugin %v", name, hasPlugin), func(t *testing.T) {
				t.Parallel()
				in := h.connect(t)
				p := plugin{kubeconfig: h.desk(t, expiringWith(clusterToken, c.first))}
				if hasPlugin {
					p = newPlugin(t, p.kubeconfig, clusterToken, clusterToken)
				}
				d := h.deployer(t, p.kubeconfig)
				run := h.begin(t, p.kubeconfig, "deploy", d.write(t, "shop.yaml", shop("web:1", settings)), "-n", in.namespace)
				run.wants(t, c.code, c.texts...)
				if hasPlugin {
					t.Logf("the plugin was called %d times", p.called(t))
				}
			})
		}
	}
}

// dated is an answer with the time of a clock that is ahead.
type dated struct {
	http.ResponseWriter
	ahead time.Duration
}

// WriteHeader sets it.
func (d dated) WriteHeader(code int) {
	d.Header().Set("Date", time.Now().Add(d.ahead).UTC().Format(http.TimeFormat))
	d.ResponseWriter.WriteHeader(code)
}

// Unwrap is for who flushes.
func (d dated) Unwrap() http.ResponseWriter { return d.ResponseWriter }

// testClock: with a clock that differs by 90 s from the server's, ages are by the server's.
func (h hardship) testClock(t *testing.T) {
	age := regexp.MustCompile(`2 Pods fit on no node since (\d+) s`)
	for _, ahead := range []time.Duration{90 * time.Second, -90 * time.Second} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			c := connectTo(t, h.cluster.Kubeconfig)
			kubeconfig := h.desk(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(dated{w, ahead}, r) })
			d := h.deployer(t, kubeconfig)
			run := h.begin(t, kubeconfig, "deploy", d.write(t, "shop.yaml", shop("web:1", "")), "-n", c.namespace, "--timeout="+causeTime)
			const old = 15 * time.Second
			unschedule(t, c, "0/1 nodes are available: 1 Insufficient cpu.", time.Now().Add(ahead-old))
			run.wants(t, 1)
			if found := age.FindStringSubmatch(run.output()); found == nil {
				t.Errorf("it does not say since when:\n%s", run.output())
			} else if seconds := must(strconv.Atoi(found[1]))(t); seconds < 15 || seconds > 90 {
				t.Errorf("it says since %d s, want some more than 15", seconds)
			}
		})
	}
}

// unschedule says of both Pods of a namespace, once they are there, that no node takes them.
func unschedule(t *testing.T, c clients, message string, since time.Time) {
	t.Helper()
	pods := c.typed.CoreV1().Pods(c.namespace)
	eventually(t, "there are two Pods", func() bool {
		all, err := pods.List(t.Context(), metav1.ListOptions{})
		return err == nil && len(all.Items) == 2
	})
	for _, pod := range must(pods.List(t.Context(), metav1.ListOptions{}))(t).Items {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: message, LastTransitionTime: metav1.NewTime(since),
		})
		must(pods.UpdateStatus(t.Context(), &pod, metav1.UpdateOptions{}))(t)
	}
}
