package truefoundry

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/formats/tree"
)

// container is the one of the Pods.
func (s *service) container() *yaml.Node {
	image := s.doc.Field("image")
	c := s.Map(tree.Value{Node: image.Name(), Path: image.Path}, pair("name", s.String(s.doc.Field("name"), s.name)))
	s.image(c, image)
	s.Set(c, "ports", s.containerPorts())
	s.Set(c, "env", s.env())
	s.Set(c, "resources", s.resources())
	for _, probe := range []struct{ name, field string }{
		{"startupProbe", "startup_probe"}, {"readinessProbe", "readiness_probe"}, {"livenessProbe", "liveness_probe"},
	} {
		if v := s.doc.Field(probe.field); v.Field("config").Field("type").Is() {
			s.Set(c, probe.name, s.probe(v, probe.field))
		}
	}
	s.mount()
	s.Set(c, "volumeMounts", s.listOf(s.doc.Field("mounts"), s.mounts))
	return c
}

// image sets the image and the command, and where the program runs.
func (s *service) image(c *yaml.Node, image tree.Value) {
	line := image.Field("command")
	uri := image.Field("image_uri")
	if image.Field("type").String() == "build" {
		spec := image.Field("build_spec")
		line, uri = spec.Field("command"), tree.Value{}
		s.source(c, image, spec)
	}
	if uri.Is() {
		s.Set(c, "image", s.String(uri, uri.Node.Value))
	} else {
		s.Set(c, "image", s.String(image, s.name)) // as a build here would be called
	}
	words, err := wordsOf(line)
	if err != nil || len(words) == 0 {
		s.Set(c, "command", s.Absent(line))
		return
	}
	if !line.IsList() {
		s.Set(c, "command", s.Strings(line, words))
		return
	}
	var nodes []*yaml.Node
	for _, item := range line.Items() {
		if word, ok := textOf(item); ok {
			nodes = append(nodes, s.String(item, word))
		}
	}
	s.Set(c, "command", s.List(line, nodes...))
}

// source sets the folder of a program that is built here, and notes what is built elsewhere.
func (s *service) source(c *yaml.Node, image, spec tree.Value) {
	source := image.Field("build_source")
	if kind := source.Field("type").String(); kind == "git" || kind == "remote" {
		s.idle(source, "nothing is fetched or built: the command runs in the folder of this file")
		return
	}
	folder := plainText(source.Field("project_root_path"))
	context := spec.Field("build_context_path")
	if folder = path.Join(folder, plainText(context)); s.opts.Run && folder != "" && folder != "." {
		s.Set(c, "workingDir", s.String(context, folder))
	}
}

func (s *service) containerPorts() *yaml.Node {
	list := s.doc.Field("ports")
	items := list.Items()
	var nodes []*yaml.Node
	for _, v := range items {
		if !v.IsObject() {
			continue
		}
		number, from, protocol, app := port(v)
		nodes = append(nodes, s.Map(v, pair("name", s.String(from, portName(app, number, len(items) > 1))), pair("containerPort", s.Int(from, number)), pair("protocol", s.String(v.Field("protocol"), protocol))))
	}
	return s.listOf(list, nodes)
}

// resources are requests and limits, with TrueFoundry's defaults.
func (s *service) resources() *yaml.Node {
	v := s.doc.Field("resources")
	quantity := func(name, unit string) *yaml.Node {
		n, field := amount(v, name)
		return s.String(field, decimal(n)+unit)
	}
	for _, name := range []string{"cpu", "memory", "ephemeral_storage"} {
		s.checkLimit(v, name)
	}
	limits := s.Map(said(v, "_limit"), pair("cpu", quantity("cpu_limit", "")), pair("memory", quantity("memory_limit", "M")), pair("ephemeral-storage", quantity("ephemeral_storage_limit", "M")))
	requests := s.Map(said(v, "_request"), pair("cpu", quantity("cpu_request", "")), pair("memory", quantity("memory_request", "M")), pair("ephemeral-storage", quantity("ephemeral_storage_request", "M")))
	for _, device := range v.Field("devices").Items() {
		n, ok := numberOf(device.Field("count"))
		if device.Field("type").String() == "nvidia_gpu" && ok {
			s.Set(limits, "nvidia.com/gpu", s.String(device.Field("count"), decimal(n)))
			continue
		}
		s.idle(device, "%s", oneMachine)
	}
	if size, ok := numberOf(v.Field("shared_memory_size")); ok {
		field := v.Field("shared_memory_size")
		s.volumes = append(s.volumes, s.Map(field, pair("name", s.String(field, "shared-memory")),
			pair("emptyDir", s.Map(field, pair("medium", s.String(field, "Memory")), pair("sizeLimit", s.String(field, decimal(size)+"M"))))))
		s.mounts = append(s.mounts, s.Map(field, pair("name", s.String(field, "shared-memory")), pair("mountPath", s.String(field, "/dev/shm"))))
	}
	return s.Map(v, pair("requests", requests), pair("limits", limits))
}

// said are the resources if they have a field that ends so; else nobody has written any of it.
func said(resources tree.Value, suffix string) tree.Value {
	for name := range resources.Fields() {
		if strings.HasSuffix(name, suffix) {
			return resources
		}
	}
	absent := resources.Field(suffix) // with the place of what is around it
	absent.Path = resources.Path
	return absent
}

// usualResources are TrueFoundry's defaults, in cores and MB.
func usualResources() map[string]float64 {
	return map[string]float64{"cpu_request": 0.2, "cpu_limit": 0.5, "memory_request": 200, "memory_limit": 500, "ephemeral_storage_request": 1000, "ephemeral_storage_limit": 2000}
}

// amount is a number of the resources, and the field that it comes from: them all if it is the
// default.
func amount(resources tree.Value, name string) (float64, tree.Value) {
	field := resources.Field(name)
	if n, ok := numberOf(field); ok {
		return n, field
	}
	return usualResources()[name], resources
}

// checkLimit makes sure that a limit is not below its request.
func (s *service) checkLimit(v tree.Value, name string) {
	request, asked := amount(v, name+"_request")
	limit, allowed := amount(v, name+"_limit")
	switch {
	case request <= limit || !asked.Is() && !allowed.Is():
	case asked.Path == v.Path:
		s.fail(allowed, "it is below %s_request, which is %s unless it says otherwise", name, decimal(request))
	case allowed.Path == v.Path:
		s.fail(asked, "it is above %s_limit, which is %s unless it says otherwise", name, decimal(limit))
	default:
		s.fail(asked, "it is above %s_limit, which is %s", name, decimal(limit))
	}
}

// probe is a probe. Its numbers have the same defaults as Kubernetes'.
func (s *service) probe(v tree.Value, name string) *yaml.Node {
	probe := s.Map(v)
	s.handler(probe, v.Field("config"))
	for _, f := range []struct{ from, to string }{
		{"initial_delay_seconds", "initialDelaySeconds"}, {"period_seconds", "periodSeconds"}, {"timeout_seconds", "timeoutSeconds"},
		{"success_threshold", "successThreshold"}, {"failure_threshold", "failureThreshold"},
	} {
		field := v.Field(f.from)
		n, ok := numberOf(field)
		if !ok {
			continue
		}
		if f.from == "success_threshold" && n != 1 && name != "readiness_probe" {
			s.fail(field, "must be 1: Kubernetes refuses %s for a %s, which has nothing to count after one success; only a readiness_probe may ask for several in a row",
				decimal(n), name)
			continue
		}
		s.Set(probe, f.to, s.Int(field, int64(n)))
	}
	return probe
}

func (s *service) handler(probe *yaml.Node, config tree.Value) {
	number := config.Field("port")
	n, _ := numberOf(number)
	at := s.Int(number, int64(n))
	switch config.Field("type").String() {
	case "http":
		get := s.Map(config, pair("path", s.String(config.Field("path"), plainText(config.Field("path")))), pair("port", at))
		for _, name := range []string{"host", "scheme"} {
			if v := config.Field(name); v.Is() {
				s.Set(get, name, s.String(v, v.Node.Value))
			}
		}
		s.Set(probe, "httpGet", get)
	case "tcp":
		s.Set(probe, "tcpSocket", s.Map(config, pair("port", at)))
	case "command", "exec":
		words, _ := wordsOf(config.Field("command"))
		s.Set(probe, "exec", s.Map(config, pair("command", s.Strings(config.Field("command"), words))))
	case "grpc":
		call := s.Map(config, pair("port", at))
		if name := config.Field("service"); name.Is() {
			s.Set(call, "service", s.String(name, name.Node.Value))
		}
		s.Set(probe, "grpc", call)
	}
}

// env are the variables. A reference to a secret becomes one to a Secret.
func (s *service) env() *yaml.Node {
	v := s.doc.Field("env")
	var list []*yaml.Node
	for name, value := range v.Fields() {
		if !value.Is() || value.IsObject() || value.IsList() {
			continue
		}
		entry := s.Map(value, pair("name", s.String(value, name)))
		if reference, ok := parseReference(value.String()); ok {
			s.Set(entry, "valueFrom", s.Map(value, pair("secretKeyRef", s.secretKey(value, reference, name))))
		} else if strings.HasPrefix(value.String(), scheme) {
			s.fail(value, "it is no reference to a secret: write tfy-secret://TENANT:GROUP:KEY")
		} else {
			s.Set(entry, "value", s.String(value, value.Node.Value))
		}
		list = append(list, entry)
	}
	return s.listOf(v, list)
}
