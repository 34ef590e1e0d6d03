package truefoundry

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/probity-run/probity/internal/manifest"
)

// deployment is a service.
func (r *reverse) deployment(o *taken) mapping {
	out := newMapping()
	out.set("name", o.name())
	out.set("type", "service")
	spec := mapAt(o.content, "spec")
	template := mapAt(spec, "template")
	pod := mapAt(template, "spec")
	labels := mapAt(template, "metadata", "labels")
	selector := mapAt(spec, "selector", "matchLabels")
	containers := listAt(pod, "containers")
	c := map[string]any{}
	if len(containers) > 0 {
		c, _ = containers[0].(map[string]any)
	}
	delete(c, "name")
	declared := asList(take(c, "ports"))
	image := newMapping()
	image.set("type", "image")
	image.set("image_uri", takeText(c, "image"))
	if words := slices.Concat(asList(take(c, "command")), asList(take(c, "args"))); len(words) > 0 {
		image.set("command", words)
	}
	out.set("image", image)
	out.set("ports", r.ports(o, labels, declared))
	if n := take(spec, "replicas"); n != nil {
		out.set("replicas", n)
	}
	out.set("resources", r.resources(o, c, pod))
	out.set("env", takeEnv(c))
	for _, probe := range [][2]string{{"livenessProbe", "liveness_probe"}, {"readinessProbe", "readiness_probe"}, {"startupProbe", "startup_probe"}} {
		if p, ok := c[probe[0]].(map[string]any); ok {
			out.set(probe[1], takeProbe(p, declared))
		}
	}
	out.set("rollout_strategy", takeStrategy(spec))
	if mounts := r.mounts(o, c, pod); len(mounts) > 0 {
		out.set("mounts", mounts)
	}
	out.set("labels", takeLabels(o, labels, selector))
	out.set("service_account", takeText(pod, "serviceAccountName"))
	if namespace := o.namespace(); namespace != "" && namespace != "default" {
		out.set("workspace_fqn", "CLUSTER:"+namespace)
	}
	return out
}

func asList(value any) []any {
	list, _ := value.([]any)
	return list
}

// takeLabels are the labels that are not there for the selector alone.
func takeLabels(o *taken, labels, selector map[string]any) mapping {
	out := newMapping()
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if selector[key] != labels[key] || key == appLabel && labels[key] != o.name() {
			out.set(key, labels[key])
		}
		delete(labels, key)
	}
	clear(selector)
	clear(mapAt(o.content, "metadata", "labels"))
	return out
}

// ports are those of the Services in front of the Pods, else those of the container, for nobody
// outside.
func (r *reverse) ports(o *taken, labels map[string]any, declared []any) []mapping {
	var list []mapping
	for _, s := range r.all {
		selector := mapAt(s.content, "spec", "selector")
		if s.kind() != "Service" || s.namespace() != o.namespace() || len(selector) == 0 || !covers(labels, selector) {
			continue
		}
		s.isUsed = true
		for _, item := range listAt(mapAt(s.content, "spec"), "ports") {
			p, ok := item.(map[string]any)
			if !ok {
				continue
			}
			target := numberOfPort(p["targetPort"], declared)
			if target == nil {
				target = p["port"]
			}
			if p["port"] != target {
				r.misfit(s, "spec.ports", fmt.Sprintf("a service answers on the port of its program: it becomes port %v", target))
			}
			list = append(list, portOf(target, p, nameOfPort(p, declared)))
			clear(p)
		}
		clear(selector)
	}
	if len(list) == 0 {
		for _, item := range declared {
			if p, ok := item.(map[string]any); ok {
				list = append(list, portOf(p["containerPort"], p, nameOfPort(p, nil)))
			}
		}
	}
	return list
}

func portOf(number any, p map[string]any, name string) mapping {
	m := newMapping()
	m.set("port", number)
	if p["protocol"] == "UDP" {
		m.set("protocol", "UDP")
	} else if app := appProtocol(p, name); app != "http" { // which is the default there
		m.set("app_protocol", app)
	}
	m.set("expose", false)
	return m
}

// appProtocol is what a port speaks. One that does not say so may by its name; to Kubernetes all
// else is bytes.
func appProtocol(p map[string]any, name string) string {
	app, _ := p["appProtocol"].(string)
	app = strings.TrimPrefix(or(app, name), "kubernetes.io/")
	switch {
	case strings.HasPrefix(app, "grpc"):
		return "grpc"
	case strings.HasPrefix(app, "http"), app == "h2c", app == "ws", app == "wss":
		return "http"
	}
	return "tcp"
}

// nameOfPort is the name of a port, or else that of the container's port that it leads to.
func nameOfPort(p map[string]any, declared []any) string {
	name, _ := p["name"].(string)
	target, ok := p["targetPort"]
	if !ok {
		target = p["port"]
	}
	if text, isName := target.(string); name == "" && isName {
		return text
	}
	for _, item := range declared {
		if c, ok := item.(map[string]any); ok && name == "" && fmt.Sprint(c["containerPort"]) == fmt.Sprint(target) {
			name, _ = c["name"].(string)
		}
	}
	return name
}

// covers reports whether labels have all that a selector asks for.
func covers(labels, selector map[string]any) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return true
}

// numberOfPort is the number of a port that may be named.
func numberOfPort(port any, declared []any) any {
	name, named := port.(string)
	if !named {
		return port
	}
	for _, item := range declared {
		if p, ok := item.(map[string]any); ok && p["name"] == name {
			return p["containerPort"]
		}
	}
	return nil
}

// resources are those that TrueFoundry has a form for. What an object does not ask for, TrueFoundry
// would give it by default.
func (r *reverse) resources(o *taken, c, pod map[string]any) mapping {
	out := newMapping()
	var silent []string
	for _, f := range []struct{ list, name, to string }{
		{"requests", "cpu", "cpu_request"}, {"limits", "cpu", "cpu_limit"}, {"requests", "memory", "memory_request"}, {"limits", "memory", "memory_limit"},
		{"requests", "ephemeral-storage", "ephemeral_storage_request"}, {"limits", "ephemeral-storage", "ephemeral_storage_limit"},
	} {
		list := mapAt(c, "resources", f.list)
		value, ok := list[f.name]
		if !ok {
			silent = append(silent, f.to+": "+decimal(usualResources()[f.to]))
		}
		q, err := resource.ParseQuantity(fmt.Sprint(value))
		if !ok || err != nil {
			continue
		}
		delete(list, f.name)
		if f.name == "cpu" {
			out.set(f.to, q.AsApproximateFloat64())
			continue
		}
		out.set(f.to, inMB(q))
	}
	out.set("shared_memory_size", takeSharedMemory(c, pod))
	if devices := takeDevices(mapAt(c, "resources")); len(devices) > 0 {
		out.set("devices", devices)
	}
	if len(silent) > 0 {
		r.misfit(o, "spec.template.spec.containers[0].resources", "what is not said there, TrueFoundry fills in: "+strings.Join(silent, ", "))
	}
	return out
}

// takeDevices are the GPUs, which are counted as a limit. A request for as many says the same.
func takeDevices(resources map[string]any) []mapping {
	const name = "nvidia.com/gpu"
	limits, requests := mapAt(resources, "limits"), mapAt(resources, "requests")
	count, err := resource.ParseQuantity(fmt.Sprint(limits[name]))
	if err != nil {
		return nil
	}
	if asked, err := resource.ParseQuantity(fmt.Sprint(requests[name])); err == nil && asked.Cmp(count) == 0 {
		delete(requests, name)
	}
	delete(limits, name)
	gpu := newMapping()
	gpu.set("type", "nvidia_gpu")
	gpu.set("count", count.Value())
	return []mapping{gpu}
}

// takeEnv are the variables that have a value or are a key of a Secret.
func takeEnv(c map[string]any) mapping {
	out := newMapping()
	for _, item := range listAt(c, "env") {
		e, ok := item.(map[string]any)
		if !ok {
			continue
		}
		name, _ := e["name"].(string)
		ref := mapAt(e, "valueFrom", "secretKeyRef")
		group, _ := ref["name"].(string)
		switch key, _ := ref["key"].(string); {
		case group != "":
			out.set(name, scheme+"TENANT:"+group+":"+key)
			delete(e, "name")
			clear(ref)
		case e["valueFrom"] == nil:
			value, _ := e["value"].(string)
			text := &yaml.Node{}
			text.SetString(value)
			if value == "" || text.Tag != "!!str" || looksLikeNumber(value) {
				text.Style = yaml.DoubleQuotedStyle
			}
			out.set(name, text)
			clear(e)
		default:
			delete(e, "name")
		}
	}
	return out
}

// looksLikeNumber reports whether a text would be something else than a text without quotes.
func looksLikeNumber(value string) bool {
	scalar, err := manifest.ScalarOf(&yaml.Node{Kind: yaml.ScalarNode, Value: value})
	_, isText := scalar.(string)
	return err != nil || !isText
}

// takeProbe is a health probe. A port that has a name becomes its number.
func takeProbe(p map[string]any, declared []any) mapping {
	out, config := newMapping(), newMapping()
	if get, ok := p["httpGet"].(map[string]any); ok {
		config.set("type", "http")
		path := takeText(get, "path")
		if path == "" {
			path = "/"
		}
		config.set("path", path)
		config.set("port", numberOfPort(take(get, "port"), declared))
		config.set("host", takeText(get, "host"))
		config.set("scheme", takeText(get, "scheme"))
	} else if tcp, ok := p["tcpSocket"].(map[string]any); ok {
		config.set("type", "tcp")
		config.set("port", numberOfPort(take(tcp, "port"), declared))
	} else if call, ok := p["grpc"].(map[string]any); ok {
		config.set("type", "grpc")
		config.set("port", numberOfPort(take(call, "port"), declared))
		config.set("service", takeText(call, "service"))
	} else if exec, ok := p["exec"].(map[string]any); ok {
		config.set("type", "command")
		config.set("command", take(exec, "command"))
	}
	out.set("config", config)
	for _, f := range [][2]string{{"initialDelaySeconds", "initial_delay_seconds"}, {"periodSeconds", "period_seconds"}, {"timeoutSeconds", "timeout_seconds"},
		{"successThreshold", "success_threshold"}, {"failureThreshold", "failure_threshold"}} {
		out.set(f[1], take(p, f[0]))
	}
	return out
}

func takeStrategy(spec map[string]any) mapping {
	out := newMapping()
	rolling := mapAt(spec, "strategy", "rollingUpdate")
	strategy := mapAt(spec, "strategy")
	if strategy["type"] == "RollingUpdate" || strategy["type"] == nil {
		delete(strategy, "type")
	}
	if rolling["maxSurge"] == "0%" && fmt.Sprint(rolling["maxUnavailable"]) == "1" {
		rolling["maxUnavailable"] = "0%" // one of the two is made 1 of percentages that both are 0
	}
	for _, f := range [][2]string{{"maxUnavailable", "max_unavailable_percentage"}, {"maxSurge", "max_surge_percentage"}} {
		text, _ := rolling[f[0]].(string)
		digits, isPercentage := strings.CutSuffix(text, "%")
		var n int
		if _, err := fmt.Sscanf(digits, "%d", &n); !isPercentage || err != nil {
			continue
		}
		delete(rolling, f[0])
		if len(out.node.Content) == 0 {
			out.set("type", "rolling_update")
		}
		out.set(f[1], n)
	}
	return out
}
