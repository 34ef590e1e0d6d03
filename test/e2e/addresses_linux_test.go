package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
	"github.com/probity-run/probity/test/ports"
)

// plainUser is nobody's id.
const plainUser = 34567

// users are who runs probity in a test: whoever runs the tests, and a plain user.
func users() map[string]uint32 {
	if os.Getuid() != 0 {
		return map[string]uint32{"a plain user": 0}
	}
	return map[string]uint32{"root": 0, "a plain user": plainUser}
}

// webAndClient is a Service of a port with a server behind it, and a Pod whose program asks it by
// the variables until it answers.
func webAndClient(port int) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: %d, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: example
    command: [SERVICE]
    ports: [{containerPort: 8080}]
    env: [{name: PORT, value: "8080"}, {name: WEB_ADDR, value: "web:%[1]d"}]
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  restartPolicy: Never
  containers:
  - name: app
    image: example
    command: [sh, -c, 'until probity probe http http://$ADDR:$PORT/; do sleep 0.1; done; test $0 = $ADDR', $(WEB_PORT_%[1]d_TCP_ADDR)]
    env: [{name: ADDR, value: $(WEB_PORT_%[1]d_TCP_ADDR)}, {name: PORT, value: $(WEB_PORT_%[1]d_TCP_PORT)}]
`, port)
}

// rootPort is a port that a plain user may not have on this machine, 0 if there is none.
func rootPort(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		t.Fatal(err)
	}
	first, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return max(0, min(first-1, 83))
}

// TestServiceVariables: a program reaches a Service by the variables of its environment, whoever
// runs probity, also at a port that only root may have.
func TestServiceVariables(t *testing.T) {
	t.Parallel()
	for name, user := range users() {
		for whose, port := range map[string]int{"everybodys": ports.Free(t), "roots": rootPort(t)} {
			if port == 0 {
				continue // on this machine everybody may have every port
			}
			t.Run(strings.ReplaceAll(name, " ", "-")+"-"+whose+"-port", func(t *testing.T) {
				r := harness.StartWith(t, harness.Options{User: user}, webAndClient(port))
				r.WaitPod("the client's success", func(p *corev1.Pod) bool { return p.Name == "client" && p.Status.Phase == corev1.PodSucceeded })
				want := regexp.MustCompile(fmt.Sprintf(`Serving port %d at (127\.\d+\.\d+\.\d+:%[1]d)`, port))
				if name == "a plain user" && port < 1024 {
					want = regexp.MustCompile(fmt.Sprintf(`web:%d is refused, as port %[1]d is for root only; web:%d works, at (127\.\d+\.\d+\.\d+:%[2]d): `+
						"set WEB_ADDR of web, or `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=%[1]d`", port, port+8000))
				}
				var address string
				harness.WaitFor(t, want.String(), func() bool {
					for _, e := range r.Events("") {
						if m := want.FindStringSubmatch(e.Message); m != nil {
							address = m[1]
						}
					}
					return address != ""
				})
				res, err := http.Get("http://" + address)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				if res.StatusCode != http.StatusOK {
					t.Errorf("status %d", res.StatusCode)
				}
				if host, _, _ := net.SplitHostPort(address); host == "127.0.0.1" {
					t.Error("the Service has no address of its own")
				}
			})
		}
	}
}
