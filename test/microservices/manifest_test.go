//go:build microservices

package microservices

import (
	"fmt"
	"strings"
)

// deployment is one program of the shop: facts of its published manifest.
type deployment struct {
	name        string
	container   string // default "server"
	port        int    // 0: it serves nothing
	servicePort int    // default: port
	portName    string // of the Service; default "grpc"
	probe       string // one handler for readiness and liveness, and its timings
	ignoresPort bool   // it listens at its number and does not read PORT
	calls       []string
}

const (
	grpcProbe  = "grpc: {port: %d}"
	everyFive  = "grpc: {port: %d}, periodSeconds: 5"
	slowStart  = "grpc: {port: %d}, initialDelaySeconds: 5, periodSeconds: 5"
	tcpProbe   = "tcpSocket: {port: %d}, periodSeconds: 5"
	httpProbe  = `httpGet: {path: /_healthz, port: %d, httpHeaders: [{name: Cookie, value: session=probe}]}, initialDelaySeconds: 3`
	notThere   = "shoppingassistantservice:80" // what the frontend names and nobody serves
	frontCheck = "frontend:80"
)

// shop is the system. Two Services have the number 80, two 50051; two programs declare 8080.
var shop = []deployment{
	{name: "frontend", port: 8080, servicePort: 80, portName: "http", probe: httpProbe, calls: []string{
		"productcatalogservice:3550", "currencyservice:7000", "cartservice:7070", "recommendationservice:8080",
		"shippingservice:50051", "checkoutservice:5050", "adservice:9555", notThere,
	}},
	{name: "adservice", port: 9555, probe: slowStart},
	{name: "currencyservice", port: 7000, probe: grpcProbe},
	{name: "cartservice", port: 7070, probe: slowStart, ignoresPort: true, calls: []string{"redis-cart:6379"}},
	{name: "redis-cart", container: "redis", port: 6379, portName: "tcp-redis", probe: tcpProbe, ignoresPort: true},
	{name: "loadgenerator", container: "main", calls: []string{frontCheck}},
	{name: "recommendationservice", port: 8080, probe: everyFive, calls: []string{"productcatalogservice:3550"}},
	{name: "checkoutservice", port: 5050, probe: grpcProbe, calls: []string{
		"productcatalogservice:3550", "shippingservice:50051", "paymentservice:50051", "emailservice:5000", "currencyservice:7000", "cartservice:7070",
	}},
	{name: "emailservice", port: 8080, servicePort: 5000, probe: everyFive},
	{name: "paymentservice", port: 50051, probe: grpcProbe},
	{name: "shippingservice", port: 50051, probe: everyFive},
	{name: "productcatalogservice", port: 3550, probe: grpcProbe},
}

func (d deployment) containerName() string {
	if d.container == "" {
		return "server"
	}
	return d.container
}

// command is what runs in place of the image.
func (d deployment) command(standin string) string {
	if d.ignoresPort {
		return fmt.Sprintf("%s -port %d %s", standin, d.port, d.name)
	}
	return standin + " " + d.name
}

// manifest is the system's manifest, with images only.
func manifest() string {
	var b strings.Builder
	for _, d := range shop {
		d.writeDeployment(&b)
		d.writeService(&b, d.name, "ClusterIP")
	}
	shop[0].writeService(&b, "frontend-external", "LoadBalancer")
	return b.String()
}

func (d deployment) writeDeployment(b *strings.Builder) {
	fmt.Fprintf(b, "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s, labels: {app: %s}}\nspec:\n", d.name, d.name)
	fmt.Fprintf(b, "  selector: {matchLabels: {app: %s}}\n  template:\n    metadata: {labels: {app: %s}}\n    spec:\n", d.name, d.name)
	fmt.Fprintf(b, "      terminationGracePeriodSeconds: 5\n      securityContext: {runAsNonRoot: true, runAsUser: 1000}\n")
	if d.port == 0 {
		fmt.Fprintf(b, "      initContainers:\n      - {name: frontend-check, image: busybox:1.38.0, env: [%s]}\n", d.environment())
	}
	fmt.Fprintf(b, "      containers:\n      - name: %s\n        image: shop/%s:v1\n        env: [%s]\n", d.containerName(), d.name, d.environment())
	if d.port == 0 {
		return
	}
	fmt.Fprintf(b, "        ports: [{containerPort: %d}]\n", d.port)
	probe := fmt.Sprintf(d.probe, d.port)
	fmt.Fprintf(b, "        readinessProbe: {%s}\n        livenessProbe: {%s}\n", probe, probe)
}

// environment is the list of variables: each neighbour's address under a name of its own, and PORT
// where the published manifest has it.
func (d deployment) environment() string {
	var entries []string
	if d.port != 0 && !d.ignoresPort {
		entries = append(entries, fmt.Sprintf("{name: PORT, value: %q}", fmt.Sprint(d.port)))
	}
	for _, address := range d.calls {
		host, _, _ := strings.Cut(address, ":")
		name := strings.ToUpper(strings.ReplaceAll(host, "-", "_")) + addressSuffix
		entries = append(entries, fmt.Sprintf("{name: %s, value: %q}", name, address))
	}
	return strings.Join(entries, ", ")
}

func (d deployment) writeService(b *strings.Builder, name, serviceType string) {
	if d.port == 0 {
		return
	}
	port, portName := d.servicePort, d.portName
	if port == 0 {
		port = d.port
	}
	if portName == "" {
		portName = "grpc"
	}
	fmt.Fprintf(b, "---\napiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec:\n  type: %s\n  selector: {app: %s}\n", name, serviceType, d.name)
	fmt.Fprintf(b, "  ports: [{name: %s, port: %d, targetPort: %d}]\n", portName, port, d.port)
}
