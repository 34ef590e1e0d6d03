package system

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMetrics: a scrape tells of probes, Pods and, if they are served, Services.
func TestMetrics(t *testing.T) {
	const manifest = `
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: app
    command: [sleep, "60"]
    readinessProbe: {exec: {command: ["true"]}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
`
	path := filepath.Join(folder(t), "web.yaml")
	if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, withoutServices := range map[string]bool{"with Services": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			s := started(t, t.Context(), Options{Manifests: []string{path}, NoServices: withoutServices, Version: "1.2.3"})
			client, url := apiOf(t, s)
			want := []string{
				"\nprobity_build_info{version=\"1.2.3\"} 1\n",
				"\nprober_probe_total{probe_type=\"Readiness\",result=\"successful\",container=\"app\",pod=\"web\",namespace=\"default\",",
				"\nkube_pod_container_status_ready{namespace=\"default\",pod=\"web\",",
			}
			if !withoutServices {
				want = append(want, "\nprobity_proxy_endpoints{namespace=\"default\",service=\"web\",port=\"80\",state=\"ready\"} 1\n")
			}
			var text string
			eventually(t, "the series", func() bool {
				code, body := fetch(t, client, url+"/metrics")
				text = string(body)
				for _, series := range want {
					if code != http.StatusOK || !strings.Contains(text, series) {
						return false
					}
				}
				return true
			})
			if withoutServices && strings.Contains(text, "probity_proxy_") {
				t.Errorf("Services that nobody serves:\n%s", text)
			}
		})
	}
}
