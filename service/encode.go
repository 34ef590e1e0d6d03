package service

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
)

// MarshalYAML gives the document of the type service that a file would have. It is for packages of
// YAML; [Service.YAML] is its text. The error is an [*InvalidError], about what no document can
// say.
func (s Service) MarshalYAML() (any, error) {
	var e encoder
	document := e.encode(reflect.ValueOf(s), "")
	if len(e.wrong) > 0 {
		return nil, &InvalidError{s.Name, e.wrong}
	}
	return document, nil
}

// YAML is the service as a document of a file: what TrueFoundry and probity read.
func (s Service) YAML() ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(s); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

// typeOf is what an object of a document says that it is.
func typeOf(value any) string {
	switch x := value.(type) {
	case Service:
		return "service"
	case Image:
		return "image"
	case Build:
		return "build"
	case LocalSource:
		return "local"
	case GitSource:
		return "git"
	case RemoteSource:
		return "remote"
	case DockerFileBuild:
		return "dockerfile"
	case PythonBuild:
		return "tfy-python-buildpack"
	case HttpProbe:
		return "http"
	case TcpProbe:
		return "tcp"
	case CommandProbe:
		return "command"
	case GrpcProbe:
		return "grpc"
	case Rolling:
		return "rolling_update"
	case Canary:
		return "canary"
	case BlueGreen:
		return "blue_green"
	case SecretMount:
		return "secret"
	case StringDataMount:
		return "string"
	case VolumeMount:
		return "volume"
	case OtherDevice:
		return x.Type
	}
	return otherTypeOf(value)
}

// otherTypeOf is typeOf for what is not applied.
func otherTypeOf(value any) string {
	switch value.(type) {
	case BasicAuth:
		return "basic_auth"
	case JWTAuth:
		return "jwt_auth"
	case TrueFoundryOAuth:
		return "truefoundry_oauth"
	case CPUUtilizationMetric:
		return "cpu_utilization"
	case RPSMetric:
		return "rps"
	case CronMetric:
		return "cron"
	case NodeSelector:
		return "node_selector"
	case NodepoolSelector:
		return "nodepool_selector"
	case NvidiaGPU:
		return "nvidia_gpu"
	}
	return ""
}

// maxDepth is how deep a document may be; only a map that contains itself is deeper.
const maxDepth = 100

// encoder makes nodes of values, and notes what no document can say.
type encoder struct {
	wrong   []*FieldError
	depth   int
	tooDeep bool
}

func (e *encoder) fail(path, message string) *yaml.Node {
	e.wrong = append(e.wrong, &FieldError{path, message})
	return nil
}

// encode makes nodes of a value, which is at a path. Zero values are left out, unless the tag says
// always; what an interface or a pointer holds is there.
func (e *encoder) encode(v reflect.Value, path string) *yaml.Node {
	switch {
	case e.tooDeep:
		return nil // who contains itself twice would take for ever
	case e.depth > maxDepth:
		e.tooDeep = true
		field, _, _ := strings.Cut(path, ".")
		return e.fail(field, "is nested too deeply, or contains itself")
	}
	e.depth++
	defer func() { e.depth-- }()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return e.encode(v.Elem(), path)
	case reflect.Struct:
		return e.encodeStruct(v, path)
	case reflect.Slice:
		return e.encodeSlice(v, path)
	case reflect.Map:
		return e.encodeMap(v, path)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return nil // which no document has
	}
	node := &yaml.Node{}
	if v.Kind() == reflect.String {
		if !utf8.ValidString(v.String()) {
			return e.fail(path, "is no text: it has bytes that are not UTF-8")
		}
		node.SetString(v.String())
		node.Style |= quoted(v.String())
		return node
	}
	if node.Encode(v.Interface()) != nil {
		return nil
	}
	return node
}

// encodeSlice makes a list. An item that is nil would be something else than was meant if it were
// left out.
func (e *encoder) encodeSlice(v reflect.Value, path string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for i := range v.Len() {
		at := path + "[" + strconv.Itoa(i) + "]"
		switch item := v.Index(i); {
		case isNil(item) && v.Type().Elem() != reflect.TypeFor[any]():
			e.fail(at, "is nil: leave it out, or say what it is")
		default:
			if node := e.encode(item, at); node != nil {
				list.Content = append(list.Content, node)
			}
		}
	}
	return list
}

// isNil reports whether a value is nil, or an interface that holds a pointer which is.
func isNil(v reflect.Value) bool {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return true
		}
		v = v.Elem()
	}
	return false
}

// quoted is the style of a text that has to be in quotes, as it is taken for something else
// without.
func quoted(text string) yaml.Style {
	plain, err := manifest.ScalarOf(&yaml.Node{Kind: yaml.ScalarNode, Value: text})
	if _, isText := plain.(string); isText && err == nil {
		return 0
	}
	return yaml.DoubleQuotedStyle
}

// encodeStruct makes an object of one of the types of this package: another one, which has one of
// them inside, may say what nobody would read.
func (e *encoder) encodeStruct(v reflect.Value, path string) *yaml.Node {
	if v.Type().PkgPath() != reflect.TypeFor[Service]().PkgPath() {
		return e.fail(path, "cannot use "+v.Type().String()+": it is none of the types of package service")
	}
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	set := func(name string, value *yaml.Node) {
		if value != nil {
			key := &yaml.Node{}
			key.SetString(name)
			out.Content = append(out.Content, key, value)
		}
	}
	if kind := typeOf(v.Interface()); kind != "" {
		set("type", e.encode(reflect.ValueOf(kind), path))
	}
	for field, value := range v.Fields() {
		name, option, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if name == "type" || value.IsZero() && option != "always" {
			continue
		}
		set(name, e.encode(value, strings.TrimPrefix(path+"."+name, ".")))
	}
	return out
}

// encodeMap orders names: those whose values refer to others, as $(NAME), come last.
func (e *encoder) encodeMap(v reflect.Value, path string) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	values := map[string]reflect.Value{}
	for entry := v.MapRange(); entry.Next(); {
		values[entry.Key().String()] = entry.Value()
	}
	refers := func(name string) bool {
		return values[name].Kind() == reflect.String && strings.Contains(values[name].String(), "$(")
	}
	names := slices.Sorted(maps.Keys(values))
	for _, last := range []bool{false, true} {
		for _, name := range names {
			if refers(name) != last {
				continue
			}
			at := strings.TrimPrefix(path+"."+strings.ToValidUTF8(name, "?"), ".")
			key, value := e.encode(reflect.ValueOf(name), at), e.encode(values[name], at)
			if key != nil && value != nil {
				out.Content = append(out.Content, key, value)
			}
		}
	}
	return out
}
