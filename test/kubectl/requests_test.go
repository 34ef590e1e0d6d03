//go:build kubectl && cluster

package kubectl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// TestClusterRequests sends each request of testdata/requests to a real API server and to Probity,
// in a namespace that is new to both, and compares what comes back. A line is
//
//	[~|?] METHOD PATH [TYPE [BODY]]
//
// where PATH begins with / or is below the namespace's core/v1, apps:PATH is apps/v1 and so on, and
// the body goes on to the end of the line. A line with ~ has two answers, for the reason that
// stands above it; if they are the same that is an error, too. Of a line with ? only the codes are
// compared: there are others who write the object. What begins with # is a comment.
func TestClusterRequests(t *testing.T) {
	cluster := startCluster(t)
	defer func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	}()
	kubeconfig, _ := startServer(t, t.TempDir())
	files := must(filepath.Glob("testdata/requests/*.txt"))(t)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			both := []caller{newCaller(t, cluster.Kubeconfig, name), newCaller(t, kubeconfig, name)}
			for number, line := range strings.Split(string(must(os.ReadFile(file))(t)), "\n") {
				if line == "" || strings.HasPrefix(line, "#") {
					continue
				}
				request, known := strings.CutPrefix(line, "~ ")
				request, onlyCode := strings.CutPrefix(request, "? ")
				want, got := both[0].answer(t, request), both[1].answer(t, request)
				if onlyCode {
					want, got = want[:3], got[:3]
				}
				diff := cmp.Diff(want, got)
				if (diff != "") != known {
					t.Errorf("%s:%d: %s\n(-cluster +probity):\n%s", file, number+1, line, diff)
				}
			}
		})
	}
}

// caller sends requests to one server.
type caller struct {
	config    *rest.Config
	client    *http.Client
	namespace string
}

func newCaller(t *testing.T, kubeconfig, namespace string) caller {
	t.Helper()
	config := must(clientcmd.BuildConfigFromFlags("", kubeconfig))(t)
	typed := must(kubernetes.NewForConfig(config))(t)
	must(typed.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}))(t)
	return caller{config, must(rest.HTTPClientFor(config))(t), namespace}
}

// mediaTypes are the short names of the types of bodies.
func mediaTypes() map[string]string {
	return map[string]string{
		"": "", "json": "application/json", "yaml": "application/yaml", "protobuf": protobuf, "apply": "application/apply-patch+yaml",
		"merge": "application/merge-patch+json", "strategic": "application/strategic-merge-patch+json", "jsonpatch": "application/json-patch+json",
	}
}

// url is where a path of a request leads.
func (c caller) url(path string) string {
	groups := map[string]string{
		"apps": "/apis/apps/v1", "events": "/apis/events.k8s.io/v1", "discovery": "/apis/discovery.k8s.io/v1", "leases": "/apis/coordination.k8s.io/v1",
	}
	if strings.HasPrefix(path, "/") {
		return c.config.Host + path
	}
	group, rest, ok := strings.Cut(path, ":")
	if root := groups[group]; ok && root != "" {
		return c.config.Host + root + "/namespaces/" + c.namespace + "/" + rest
	}
	return c.config.Host + "/api/v1/namespaces/" + c.namespace + "/" + path
}

// typeNames are those of Go, by which the decoder of JSON says what it expected.
var typeNames = regexp.MustCompile(`Go (value|struct field \S*) of type \S+`)

// answer is the code, the warnings and the object that come back, masked. A Status is told in
// words.
func (c caller) answer(t *testing.T, line string) string {
	t.Helper()
	words := strings.SplitN(line, " ", 4)
	words = append(words, make([]string, 4-len(words))...)
	body := strings.NewReplacer(`\n`, "\n", `\0`, "\x00").Replace(words[3])
	request := must(http.NewRequestWithContext(t.Context(), words[0], c.url(words[1]), strings.NewReader(body)))(t)
	mediaType, short := mediaTypes()[words[2]]
	if !short {
		mediaType = words[2]
	}
	request.Header.Set("Content-Type", mediaType)
	response := must(c.client.Do(request))(t)
	defer response.Body.Close()
	text := must(io.ReadAll(response.Body))(t)
	var b strings.Builder
	for _, warning := range response.Header["Warning"] {
		if !strings.Contains(warning, "not applied here") { // there is no such warning on a cluster
			fmt.Fprintln(&b, "Warning:", warning)
		}
	}
	var status metav1.Status
	var indented bytes.Buffer
	switch err := json.Unmarshal(text, &status); {
	case err == nil && status.Kind == "Status" && status.Status == metav1.StatusFailure:
		if status.Code == http.StatusInternalServerError { // a cluster's answer to some mistakes of clients
			response.StatusCode, status.Reason = http.StatusBadRequest, metav1.StatusReasonBadRequest
		}
		fmt.Fprintln(&b, response.StatusCode, status.Reason, status.Message)
		if d := status.Details; d != nil {
			fmt.Fprintf(&b, "of %s %s %q uid=%q retry=%d\n", d.Group, d.Kind, d.Name, d.UID, d.RetryAfterSeconds)
			for i, cause := range d.Causes {
				if !slices.Contains(d.Causes[:i], cause) { // a cluster tells some of them twice
					fmt.Fprintln(&b, "-", cause.Type, cause.Field, cause.Message)
				}
			}
		}
	case json.Indent(&indented, text, "", "  ") == nil:
		fmt.Fprintln(&b, response.StatusCode, indented.String())
	default:
		fmt.Fprintln(&b, response.StatusCode, string(text))
	}
	return Mask(typeNames.ReplaceAllString(b.String(), "Go ${1} TYPE"))
}
