//go:build kubectl && cluster

package kubectl

import (
	"bufio"
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// testDashboard: the dashboard over a real API server shows what is there, changes probes by
// server-side apply, and shows who may only read what the server refuses.
func testDashboard(t *testing.T, c clients, d deployer) {
	d.wants(t, 0, nil, d.write(t, "shop.yaml", shop("web:1", "")), "-n", c.namespace)
	bind(t, c.typed, "reader", c.namespace+"-reader", "view", c.namespace)

	admin := openDashboard(t, d, c.namespace)
	admin.shows(t, "/ui/pods", "web-", "Ready", "the kubelet does not report successes")
	admin.shows(t, "/ui/services", "There is no Service in namespace "+c.namespace)
	admin.shows(t, "/ui/events", "SuccessfulCreate")
	form := url.Values{
		"kind": {"deployment"}, "namespace": {c.namespace}, "name": {"web"}, "container": {"web"},
		"readinessProbe.handler": {"exec"}, "readinessProbe.exec.command": {"true"}, "readinessProbe.periodSeconds": {"7"},
		"was.readinessProbe.handler": {"exec"}, "was.readinessProbe.exec.command": {"true"}, "was.readinessProbe.periodSeconds": {"1"},
	}
	admin.answers(t, form, http.StatusConflict, "Others own what you change. Nothing was applied.", "probity")
	form.Set("force", "yes")
	admin.answers(t, form, http.StatusOK)
	web := must(c.typed.AppsV1().Deployments(c.namespace).Get(t.Context(), "web", metav1.GetOptions{}))(t)
	if got := web.Spec.Template.Spec.Containers[0].ReadinessProbe.PeriodSeconds; got != 7 {
		t.Errorf("the period is %d s after it was applied, want 7", got)
	}
	owned := false
	for _, m := range web.ManagedFields {
		owned = owned || m.Manager == "probity-dashboard" && m.Operation == metav1.ManagedFieldsOperationApply
	}
	if !owned {
		t.Errorf("probity-dashboard has applied nothing: %+v", web.ManagedFields)
	}

	as := d
	as.kubeconfig = kubeconfigAs(t, &Cluster{Kubeconfig: d.kubeconfig}, c.namespace+"-reader")
	reader := openDashboard(t, as, c.namespace)
	reader.shows(t, "/ui/pods", "web-", "Ready")
	form.Set("readinessProbe.periodSeconds", "9")
	form.Set("was.readinessProbe.periodSeconds", "7")
	reader.answers(t, form, http.StatusConflict, "cannot patch resource")
}

// opened is a dashboard, and somebody who is signed in.
type opened struct {
	origin string
	client *http.Client
}

// openDashboard serves a dashboard over a namespace until the test ends, and signs in.
func openDashboard(t *testing.T, d deployer, namespace string) opened {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, d.probity, "dashboard", "--kubeconfig", d.kubeconfig, "-n", namespace)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	out := must(cmd.StdoutPipe())(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 0 {
			t.Errorf("the dashboard ends with %v", err)
		}
	})
	line := must(bufio.NewReader(out).ReadString('\n'))(t)
	link := must(url.Parse(strings.TrimSpace(line)))(t)
	o := opened{"http://" + link.Host, &http.Client{Jar: must(cookiejar.New(nil))(t)}}
	response := must(o.client.Get(link.String()))(t)
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the link answers %s", response.Status)
	}
	return o
}

// shows waits until a page has all texts.
func (o opened) shows(t *testing.T, path string, texts ...string) {
	t.Helper()
	var page string
	for range 300 {
		_, page = o.ask(t, http.MethodGet, path, nil)
		missing := false
		for _, text := range texts {
			missing = missing || !strings.Contains(page, text)
		}
		if !missing {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%s does not show all of %q:\n%s", path, texts, page)
}

// answers sends the form of health checks and expects a status and texts.
func (o opened) answers(t *testing.T, form url.Values, status int, texts ...string) {
	t.Helper()
	got, page := o.ask(t, http.MethodPost, "/ui/apply", form)
	if got != status {
		t.Errorf("it answers %d, want %d:\n%s", got, status, page)
	}
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("it does not say %q:\n%s", text, page)
		}
	}
}

func (o opened) ask(t *testing.T, method, path string, form url.Values) (status int, words string) {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), method, o.origin+path, strings.NewReader(form.Encode())))(t)
	r.Header = http.Header{"Origin": {o.origin}, "Sec-Fetch-Site": {"same-origin"}, "Content-Type": {"application/x-www-form-urlencoded"}}
	response := must(o.client.Do(r))(t)
	defer response.Body.Close()
	page := must(io.ReadAll(response.Body))(t)
	text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(page), " "))
	return response.StatusCode, strings.Join(strings.Fields(text), " ")
}
