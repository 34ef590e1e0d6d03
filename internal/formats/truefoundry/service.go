package truefoundry

import (
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/formats/tree"
)

// decimal writes a number without an exponent.
func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// pair is a field of an object that is built.
func pair(name string, value *yaml.Node) tree.Pair { return tree.Pair{Name: name, Value: value} }

// A service is one that is turned into objects.
type service struct {
	*converter
	*tree.Builder  // of the Deployment
	doc, workspace tree.Value
	name           string
	volumes        []*yaml.Node
	mounts         []*yaml.Node
	files          []file
	secrets        map[string][]entry // by name, for a run here
}

// An entry is a key of a Secret or a ConfigMap.
type entry struct {
	key, value string
	from       tree.Value
}

// service turns a service into a Deployment, a Service if it has ports, and what these read.
func (c *converter) service(doc, workspace tree.Value) {
	before := len(c.Errors)
	c.object(doc, "service")
	c.names(doc)
	s := &service{converter: c, Builder: tree.NewBuilder(), doc: doc, workspace: workspace, name: plainText(doc.Field("name")), secrets: map[string][]entry{}}
	if _, isText := textOf(doc.Field("name")); !isText || !doc.Field("image").IsObject() {
		return // an error says so
	}
	if !isName(s.name) {
		c.fail(doc.Field("name"), "cannot use %s as a name: it has at most 63 lower case letters, digits and -, and begins and ends with a letter or a digit", doc.Field("name").Describe())
		return
	}
	s.deployment()
	s.serviceObject()
	s.configMap()
	if len(c.Errors) == before {
		s.secretObjects()
	}
}

func (s *service) deployment() {
	container := s.container()
	pod := s.Map(s.doc, pair("containers", s.List(s.doc, container)), pair("volumes", s.listOf(s.doc.Field("mounts"), s.volumes)))
	if account := s.doc.Field("service_account"); account.Is() {
		s.Set(pod, "serviceAccountName", s.String(account, account.Node.Value))
	}
	labels, selector := s.labels()
	spec := s.Map(s.doc,
		pair("replicas", s.replicas()),
		pair("selector", s.Map(s.doc, pair("matchLabels", selector))),
		pair("strategy", s.strategy()),
		pair("template", s.Map(s.doc, pair("metadata", s.Map(s.doc, pair("labels", labels))), pair("spec", pod))))
	meta := metadata(s.Builder, s.doc, s.workspace, s.name)
	own, _ := s.labels()
	s.Set(meta, "labels", own)
	s.add(s.Builder, root(s.Builder, s.doc, "apps/v1", "Deployment", pair("metadata", meta), pair("spec", spec)))
}

// listOf is a list, or nothing if that is empty.
func (s *service) listOf(from tree.Value, items []*yaml.Node) *yaml.Node {
	if len(items) == 0 {
		return nil
	}
	return s.List(from, items...)
}

const appLabel = "app"

// labels are those of the Deployment and its Pods, and the one by which the Pods are selected.
func (s *service) labels() (labels, selector *yaml.Node) {
	name := s.doc.Field("name")
	own := s.doc.Field("labels")
	labels = s.Map(own)
	app := s.String(name, s.name)
	for key, value := range own.Fields() {
		if !value.Is() || strings.HasPrefix(key, ownLabel) {
			continue
		}
		node := s.String(value, value.Node.Value)
		if key == appLabel {
			app = node
			continue
		}
		s.Set(labels, key, node)
	}
	s.Set(labels, appLabel, app)
	return labels, s.Map(name, pair(appLabel, app))
}

// idleLabels notes labels that only TrueFoundry's own pages read.
func (s *service) idleLabels() {
	for key, value := range s.doc.Field("labels").Fields() {
		if strings.HasPrefix(key, ownLabel) {
			s.idle(value, "it is for TrueFoundry's own pages")
		}
	}
}

func (s *service) replicas() *yaml.Node {
	v := s.doc.Field("replicas")
	s.idleLabels()
	n, from := s.count()
	if !v.Is() || n != math.Trunc(n) || n < 0 || n > math.MaxInt32 {
		return nil // nothing is said, or an error says what is wrong
	}
	return s.Int(from, int64(n))
}

// count is how many replicas run, and what says so: of a service that scales, the least.
func (s *service) count() (n float64, from tree.Value) {
	v := s.doc.Field("replicas")
	for _, from := range []tree.Value{v, v.Field("min_replicas"), v.Field("min")} {
		if n, ok := numberOf(from); ok {
			return n, from
		}
	}
	return 1, v
}

// strategy is how it is rolled out. Without a word about it, Kubernetes' defaults are
// TrueFoundry's.
func (s *service) strategy() *yaml.Node {
	v := s.doc.Field("rollout_strategy")
	switch v.Field("type").String() {
	case "canary", "blue_green":
		s.idle(v, "%s", byRollingUp)
		return nil
	case "rolling", "rolling_update":
	default:
		return nil
	}
	percentage := func(name string) (*yaml.Node, float64) {
		field := v.Field(name)
		n, ok := numberOf(field)
		if !ok {
			field, n = v, 25
		}
		return s.String(field, decimal(n)+"%"), n
	}
	unavailable, down := percentage("max_unavailable_percentage")
	surge, up := percentage("max_surge_percentage")
	replicas, _ := s.count()
	switch {
	case down >= 100:
		s.warn(v.Field("max_unavailable_percentage"), "at every rollout all replicas are stopped before new ones are ready: nobody answers meanwhile")
	case up == 0 && replicas <= 1:
		s.warn(v.Field("max_surge_percentage"), "with one replica and none above it, the old one is stopped before the new one is ready: every rollout is an outage. Write more than 0")
	}
	if up == 0 && down == 0 {
		unavailable = s.Int(v, 1) // what Kubernetes makes of percentages that both round to 0
	}
	return s.Map(v, pair("type", s.String(v, "RollingUpdate")), pair("rollingUpdate", s.Map(v, pair("maxUnavailable", unavailable), pair("maxSurge", surge))))
}

// portName is the name of a port: its protocol, with its number if there are several.
func portName(protocol string, number int64, several bool) string {
	if !several {
		return protocol
	}
	return protocol + "-" + strconv.FormatInt(number, 10)
}

// port is what a port says, with its defaults.
func port(v tree.Value) (number int64, from tree.Value, protocol, app string) {
	number, from, protocol, app = 80, v.Field("port"), "TCP", "http"
	if n, ok := numberOf(from); ok {
		number = int64(n)
	}
	if p := v.Field("app_protocol").String(); p == "grpc" || p == "tcp" {
		app = p
	}
	if v.Field("protocol").String() == "UDP" {
		protocol, app = "UDP", "udp"
	}
	return number, from, protocol, app
}

// serviceObject is the Service in front of the Pods. Without ports there is none.
func (s *service) serviceObject() {
	list := s.doc.Field("ports")
	items := list.Items()
	if len(items) == 0 {
		return
	}
	b := tree.NewBuilder()
	var ports []*yaml.Node
	for _, v := range items {
		if !v.IsObject() {
			continue
		}
		number, from, protocol, app := port(v)
		name := portName(app, number, len(items) > 1)
		entry := b.Map(v, pair("name", b.String(from, name)), pair("port", b.Int(from, number)), pair("targetPort", b.Int(from, number)), pair("protocol", b.String(v.Field("protocol"), protocol)))
		if app == "http" || app == "grpc" {
			b.Set(entry, "appProtocol", b.String(v.Field("app_protocol"), app))
		}
		ports = append(ports, entry)
	}
	name := s.doc.Field("name")
	label := s.doc.Field("labels").Field(appLabel)
	value := s.name
	if label.Is() {
		value = label.Node.Value
	}
	spec := b.Map(list, pair("selector", b.Map(name, pair(appLabel, b.String(name, value)))), pair("ports", b.List(list, ports...)))
	s.add(b, root(b, s.doc, "v1", "Service", pair("metadata", metadata(b, s.doc, s.workspace, s.name)), pair("spec", spec)))
}
