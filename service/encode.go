package service

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
)

// MarshalYAML gives the document of the type service that a file would have. It is for packages of
// YAML; [Service.YAML] is its text.
func (s Service) MarshalYAML() (any, error) { return encode(reflect.ValueOf(s)), nil }

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

// encode makes nodes of a value. Zero values are left out, unless the tag says always; what an
// interface or a pointer holds is there.
func encode(v reflect.Value) *yaml.Node {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return encode(v.Elem())
	case reflect.Struct:
		return encodeStruct(v)
	case reflect.Slice:
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for i := range v.Len() {
			if item := encode(v.Index(i)); item != nil {
				list.Content = append(list.Content, item)
			}
		}
		return list
	case reflect.Map:
		return encodeMap(v)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return nil // which no document has
	}
	node := &yaml.Node{}
	if v.Kind() == reflect.String {
		node.SetString(v.String())
		node.Style |= quoted(v.String())
		return node
	}
	if node.Encode(v.Interface()) != nil {
		return nil
	}
	return node
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

func encodeStruct(v reflect.Value) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	set := func(name string, value *yaml.Node) {
		if value != nil {
			key := &yaml.Node{}
			key.SetString(name)
			out.Content = append(out.Content, key, value)
		}
	}
	if kind := typeOf(v.Interface()); kind != "" {
		set("type", encode(reflect.ValueOf(kind)))
	}
	for field, value := range v.Fields() {
		name, option, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if name == "type" || value.IsZero() && option != "always" {
			continue
		}
		set(name, encode(value))
	}
	return out
}

// encodeMap orders names: those whose values refer to others, as $(NAME), come last.
func encodeMap(v reflect.Value) *yaml.Node {
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
			if value := encode(values[name]); value != nil {
				out.Content = append(out.Content, encode(reflect.ValueOf(name)), value)
			}
		}
	}
	return out
}
