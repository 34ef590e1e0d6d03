package knative

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/formats/tree"
	"github.com/probity-run/probity/internal/manifest"
)

// defaultPort is where requests go if the container names no port.
const defaultPort = 8080

// conversion is one document on its way.
type conversion struct {
	manifest.Conversion
	format Format
	ref    manifest.Ref
	b      *tree.Builder
	port   int64
}

// Convert implements [manifest.Format]: a Deployment, and a Service in front of it.
func (f Format) Convert(_ string, root *yaml.Node) manifest.Conversion {
	doc := tree.Root(root)
	c := &conversion{format: f, ref: manifest.Ref{Kind: "Service", Name: doc.Field("metadata").Field("name").String()}, b: tree.NewBuilder(), port: defaultPort}
	c.unknown(doc, "apiVersion", "kind", "metadata", "spec", "status")
	spec := doc.Field("spec")
	c.unknown(spec, "template", "traffic")
	if traffic := spec.Field("traffic"); traffic.Is() {
		c.NotApplied = append(c.NotApplied, c.remark(traffic, "here is one revision, which gets all requests"))
	}
	template := spec.Field("template")
	c.unknown(template, "metadata", "spec")
	containers := template.Field("spec").Field("containers")
	if !containers.IsList() {
		c.Errors = append(c.Errors, c.remark(containers, "must be a list with the container that gets the requests"))
		return c.Conversion
	}
	c.unused(doc.Field("metadata").Field("labels"))
	c.unused(doc.Field("metadata").Field("annotations"))
	c.unused(template.Field("metadata").Field("labels"))
	c.unused(template.Field("metadata").Field("annotations"), leastScale()...)
	c.findPort(containers.Items())
	c.Objects = append(c.Objects, c.deployment(doc, template).object(c), c.service(doc).object(c))
	return c.Conversion
}

// node is a finished object.
type node struct{ *yaml.Node }

func (n node) object(c *conversion) manifest.ConvertedObject { return c.b.Object(n.Node, c.ref) }

func (c *conversion) remark(v tree.Value, message string) manifest.Remark {
	at := v.Place()
	if at == nil {
		at = &yaml.Node{Line: 1, Column: 1}
	}
	return manifest.Remark{At: at, Object: c.ref, Field: v.Path, Message: message}
}

// unknown refuses fields that are none of these.
func (c *conversion) unknown(v tree.Value, names ...string) {
	for name, field := range v.Fields() {
		known := false
		for _, n := range names {
			known = known || n == name
		}
		if known {
			continue
		}
		message := "unknown field"
		if guess := manifest.Closest(name, names); guess != "" {
			message += ", did you mean " + guess + "?"
		}
		r := c.remark(field, message)
		r.At, r.Reason = field.Name(), manifest.ReasonUnknownField
		c.Errors = append(c.Errors, r)
	}
}

// findPort finds the one port that gets requests.
func (c *conversion) findPort(containers []tree.Value) {
	found := false
	for _, container := range containers {
		for _, port := range container.Field("ports").Items() {
			number, ok := port.Field("containerPort").Scalar().(int64)
			if !ok {
				continue
			}
			if found {
				c.Errors = append(c.Errors, c.remark(port, c.format.name+" takes one port of one container: requests go there"))
			}
			found, c.port = true, number
		}
	}
}

// deployment is what runs the service.
func (c *conversion) deployment(doc, template tree.Value) node {
	b, name := c.b, doc.Field("metadata").Field("name")
	app := func() *yaml.Node { return b.Map(name, tree.Pair{Name: "app", Value: b.String(name, name.String())}) }
	meta := []tree.Pair{{Name: "name", Value: c.copy(name)}}
	if namespace := doc.Field("metadata").Field("namespace"); namespace.Is() && !c.format.cloudRun { // there it is a project's number
		meta = append(meta, tree.Pair{Name: "namespace", Value: c.copy(namespace)})
	}
	annotations := template.Field("metadata").Field("annotations")
	pod := b.Map(template, tree.Pair{Name: "metadata", Value: b.Map(template, tree.Pair{Name: "labels", Value: app()}, tree.Pair{Name: "annotations", Value: c.own(annotations)})},
		tree.Pair{Name: "spec", Value: c.podSpec(template.Field("spec"))})
	spec := b.Map(doc.Field("spec"), tree.Pair{Name: "selector", Value: b.Map(name, tree.Pair{Name: "matchLabels", Value: app()})}, tree.Pair{Name: "template", Value: pod})
	if replicas := c.replicas(annotations); replicas != nil {
		b.Set(spec, "replicas", replicas)
	}
	return node{b.Map(tree.Value{Node: doc.Node}, tree.Pair{Name: "apiVersion", Value: b.String(doc, "apps/v1")}, tree.Pair{Name: "kind", Value: b.String(doc, "Deployment")},
		tree.Pair{Name: "metadata", Value: b.Map(doc.Field("metadata"), meta...)}, tree.Pair{Name: "spec", Value: spec})}
}

// own are the annotations of Probity; nil if there are none.
func (c *conversion) own(annotations tree.Value) *yaml.Node {
	var own []tree.Pair
	for name, value := range annotations.Fields() {
		if strings.HasPrefix(name, "probity.run/") {
			own = append(own, tree.Pair{Name: name, Value: c.copy(value)})
		}
	}
	if own == nil {
		return nil
	}
	return c.b.Map(annotations, own...)
}

// unused notes labels or annotations if one of them has no effect here. Of used, each has one.
func (c *conversion) unused(list tree.Value, used ...string) {
	for name := range list.Fields() {
		if len(used) > 0 && strings.HasPrefix(name, "probity.run/") || slices.Contains(used, name) {
			continue
		}
		c.NotApplied = append(c.NotApplied, c.remark(list, "they are for the platform: of all only min-scale of the template has a meaning here, which is its replicas"))
		return
	}
}

func leastScale() []string {
	return []string{"autoscaling.knative.dev/min-scale", "autoscaling.knative.dev/minScale"}
}

// replicas are the fewest that the service scales to; nil if that is not said, or if it is none.
func (c *conversion) replicas(annotations tree.Value) *yaml.Node {
	for _, name := range leastScale() {
		v := annotations.Field(name)
		if n, err := strconv.ParseInt(v.String(), 10, 32); err == nil && n > 0 {
			return c.b.Int(v, n)
		}
	}
	return nil
}

// podSpec is the spec of the Pods: all but what is for the platform.
func (c *conversion) podSpec(spec tree.Value) *yaml.Node {
	pod := c.b.Map(spec)
	for name, field := range spec.Fields() {
		switch name {
		case "containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds":
			c.NotApplied = append(c.NotApplied, c.remark(field, "it is about requests, which nobody counts or ends here"))
		case "serviceAccountName":
			if !c.format.cloudRun { // there it is an address of mail
				c.set(pod, field, c.copy(field))
			}
		case "containers":
			var containers []*yaml.Node
			for i, container := range field.Items() {
				containers = append(containers, c.container(container, i, len(field.Items())))
			}
			c.set(pod, field, c.b.List(field, containers...))
		default:
			c.set(pod, field, c.copy(field))
		}
	}
	return pod
}

// container is one of the Pod. The one that gets the requests has a port, or is alone.
func (c *conversion) container(v tree.Value, i, of int) *yaml.Node {
	out := c.b.Map(v)
	serves := of == 1 || v.Field("ports").Is()
	if !v.Field("name").Is() {
		name := "user-container"
		if i > 0 {
			name += "-" + strconv.Itoa(i)
		}
		c.b.Set(out, "name", c.b.String(v, name))
	}
	for name, field := range v.Fields() {
		switch name {
		case "startupProbe", "readinessProbe", "livenessProbe":
			c.set(out, field, c.probe(field))
		default:
			c.set(out, field, c.copy(field))
		}
	}
	if serves && !v.Field("ports").Is() {
		c.b.Set(out, "ports", c.b.List(v, c.b.Map(v, tree.Pair{Name: "containerPort", Value: c.b.Int(v, c.port)})))
	}
	if !serves {
		return out
	}
	c.defaultProbe(out, v)
	return out
}

// defaultProbe adds the probe that the platform makes by itself.
func (c *conversion) defaultProbe(out *yaml.Node, v tree.Value) {
	tcp := func() tree.Pair {
		return tree.Pair{Name: "tcpSocket", Value: c.b.Map(v, tree.Pair{Name: "port", Value: c.b.Int(v, c.port)})}
	}
	switch {
	case c.format.cloudRun && !v.Field("startupProbe").Is():
		c.b.Set(out, "startupProbe", c.b.Map(v, tcp(), tree.Pair{Name: "periodSeconds", Value: c.b.Int(v, 240)}, tree.Pair{Name: "timeoutSeconds", Value: c.b.Int(v, 240)},
			tree.Pair{Name: "failureThreshold", Value: c.b.Int(v, 1)}))
	case !c.format.cloudRun && !v.Field("readinessProbe").Is():
		c.b.Set(out, "readinessProbe", c.b.Map(v, tcp()))
		c.Differences = append(c.Differences, c.remark(v, "Knative would ask whether the port takes connections several times a second until it does, Kubernetes will every 10s: write readinessProbe for another time"))
	case !c.format.cloudRun:
		probe := v.Field("readinessProbe")
		c.Differences = append(c.Differences, c.remark(probe, "Knative's queue-proxy would ask, beside the program; here it is asked as the kubelet asks, from outside"))
	}
}

// probe is a probe, with the port that may be left out.
func (c *conversion) probe(v tree.Value) *yaml.Node {
	out := c.b.Map(v)
	for name, field := range v.Fields() {
		switch handler := name; {
		case (handler == "httpGet" || handler == "tcpSocket" || handler == "grpc") && (field.IsObject() || !field.Is()) && !named(field.Field("port")):
			filled := c.b.Map(field)
			for key, value := range field.Fields() {
				if key != "port" {
					c.set(filled, value, c.copy(value))
				}
			}
			c.b.Set(filled, "port", c.b.Int(field, c.port))
			c.set(out, field, filled)
		default:
			c.set(out, field, c.copy(field))
		}
	}
	return out
}

// named reports whether a port is given.
func named(port tree.Value) bool {
	n, isNumber := port.Scalar().(int64)
	return port.Is() && !(isNumber && n == 0)
}

// set adds a field of the document to an object. The name keeps its place, which is pointed at if
// the object has no such field.
func (c *conversion) set(object *yaml.Node, field tree.Value, value *yaml.Node) {
	if value == nil {
		return
	}
	c.b.Set(object, field.Name().Value, value)
	key := object.Content[len(object.Content)-2]
	key.Line, key.Column = field.Name().Line, field.Name().Column
}

// copy is a value with its paths, as it is.
func (c *conversion) copy(v tree.Value) *yaml.Node {
	switch {
	case v.IsObject():
		out := c.b.Map(v)
		for _, field := range v.Fields() {
			c.set(out, field, c.copy(field))
		}
		return out
	case v.IsList():
		out := c.b.List(v)
		for _, item := range v.Items() {
			out.Content = append(out.Content, c.copy(item))
		}
		return out
	case v.Node == nil:
		return nil
	}
	n := c.b.String(v, v.Node.Value)
	n.Style, n.Tag, n.Line, n.Column = v.Node.Style, v.Node.Tag, v.Node.Line, v.Node.Column
	return n
}

// service is the Service in front of the Deployment.
func (c *conversion) service(doc tree.Value) node {
	b, name := c.b, doc.Field("metadata").Field("name")
	port := b.Map(name, tree.Pair{Name: "name", Value: b.String(name, "http")}, tree.Pair{Name: "port", Value: b.Int(name, 80)}, tree.Pair{Name: "targetPort", Value: b.Int(name, c.port)})
	meta := b.Map(name, tree.Pair{Name: "name", Value: b.String(name, name.String())})
	if namespace := doc.Field("metadata").Field("namespace"); namespace.Is() && !c.format.cloudRun {
		b.Set(meta, "namespace", c.copy(namespace))
	}
	return node{b.Map(tree.Value{Node: doc.Node}, tree.Pair{Name: "apiVersion", Value: b.String(doc, "v1")}, tree.Pair{Name: "kind", Value: b.String(doc, "Service")},
		tree.Pair{Name: "metadata", Value: meta},
		tree.Pair{Name: "spec", Value: b.Map(name, tree.Pair{Name: "selector", Value: b.Map(name, tree.Pair{Name: "app", Value: b.String(name, name.String())})},
			tree.Pair{Name: "ports", Value: b.List(name, port)})})}
}
