package credentials

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// Entry is a cluster, a user and a context of one name in a kubeconfig: what a client needs for one
// run. It holds the token, so it must not be logged.
type Entry struct {
	// Name is that of all three, and of the context for kubectl --context.
	Name string
	// Server is the URL of the API: https, an address and a port.
	Server string
	// Authority is the certificate, in PEM, that vouches for the API.
	Authority []byte
	// Token is what the client shows.
	Token string
}

// mark is the name of the extension by which an entry is known to be Probity's: only such a one is
// changed. kubectl keeps extensions.
const mark = "probity.run"

// section is one of the three lists of a kubeconfig that name things, and what an [Entry] puts
// there.
type section struct {
	list, item string
	sets       map[string]any
	drops      []string // what would speak against it
}

func (e Entry) sections() []section {
	return []section{
		{
			list: "clusters", item: "cluster",
			sets:  map[string]any{"server": e.Server, "certificate-authority-data": base64.StdEncoding.EncodeToString(e.Authority)},
			drops: []string{"certificate-authority", "insecure-skip-tls-verify"},
		},
		{
			list: "users", item: "user",
			sets:  map[string]any{"token": e.Token},
			drops: []string{"tokenFile"},
		},
		{
			list: "contexts", item: "context",
			sets: map[string]any{"cluster": e.Name, "user": e.Name},
		},
	}
}

// merge puts an entry into a kubeconfig and returns what it becomes. An empty one is a new one. All
// that it does not know stays, but not comments and the order of fields, as with kubectl.
func merge(kubeconfig []byte, e Entry) ([]byte, error) {
	config, err := parse(kubeconfig)
	if err != nil {
		return nil, err
	}
	if err := checkKind(config); err != nil {
		return nil, err
	}
	for _, s := range e.sections() {
		if err := s.put(config, e.Name); err != nil {
			return nil, err
		}
	}
	switch current, isText := config["current-context"].(string); {
	case config["current-context"] != nil && !isText:
		return nil, errors.New("its current-context is not a text")
	case current == "":
		config["current-context"] = e.Name
	}
	return format(config)
}

// parse reads YAML or JSON. Numbers stay as they are written.
func parse(kubeconfig []byte) (map[string]any, error) {
	documents := yamlv3.NewDecoder(bytes.NewReader(kubeconfig))
	for n := 0; ; n++ {
		var document yamlv3.Node
		err := documents.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if n > 0 {
			return nil, errors.New("it has more than one document, of which kubectl reads the first")
		}
	}
	text, err := yaml.YAMLToJSONStrict(kubeconfig)
	if err != nil && strings.HasPrefix(err.Error(), "yaml: ") {
		return nil, err
	}
	if err != nil { // the error quotes values, which may be secret
		return nil, errors.New("it has a key or a value that JSON cannot say, so kubectl cannot read it")
	}
	var config map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&config); err != nil {
		return nil, errors.New("it is not a mapping, as a kubeconfig is")
	}
	if config == nil {
		config = map[string]any{}
	}
	return config, nil
}

// checkKind refuses what is something else than a kubeconfig. kubectl reads one that does not say
// that it is one, so that is completed.
func checkKind(config map[string]any) error {
	takenFor := len(config) == 0 || config["clusters"] != nil
	for field, want := range map[string]string{"apiVersion": "v1", "kind": "Config"} {
		if config[field] == nil && takenFor {
			config[field] = want
		}
		if got := config[field]; got != want {
			return fmt.Errorf("it is not a kubeconfig: its %s is %v, not %s", field, got, want)
		}
	}
	return nil
}

// put adds the entry to its list, or brings the one up to date that is there.
func (s section) put(config map[string]any, name string) error {
	list, isList := config[s.list].([]any)
	if config[s.list] != nil && !isList {
		return fmt.Errorf("its %s are not a list", s.list)
	}
	entry, err := s.find(list, name)
	if err != nil {
		return err
	}
	if entry == nil {
		entry = map[string]any{
			"name": name,
			s.item: map[string]any{"extensions": []any{map[string]any{"name": mark, "extension": map[string]any{"provider": mark}}}},
		}
		config[s.list] = append(list, entry)
	}
	fields, _ := entry[s.item].(map[string]any)
	if !isOurs(fields) {
		return fmt.Errorf("it has a %s %s that Probity did not make: rename or remove that one", s.item, name)
	}
	for _, field := range s.drops {
		delete(fields, field)
	}
	maps.Copy(fields, s.sets)
	return nil
}

// find returns the entry of a name; nil if there is none.
func (s section) find(list []any, name string) (found map[string]any, err error) {
	for i, element := range list {
		entry, isMapping := element.(map[string]any)
		switch {
		case !isMapping:
			return nil, fmt.Errorf("its %s[%d] is not a mapping", s.list, i)
		case entry["name"] != name:
		case found != nil:
			return nil, fmt.Errorf("it has two %s of the name %s: remove one", s.list, name)
		default:
			found = entry
		}
	}
	return found, nil
}

// isOurs reports whether the fields of a cluster, user or context bear Probity's mark.
func isOurs(fields map[string]any) bool {
	extensions, _ := fields["extensions"].([]any)
	for _, element := range extensions {
		if extension, _ := element.(map[string]any); extension["name"] == mark {
			return true
		}
	}
	return false
}

// format writes YAML, and makes sure that it says the same: somebody's way into other clusters may
// depend on it.
func format(config map[string]any) ([]byte, error) {
	text, err := yaml.Marshal(config)
	if err != nil {
		return nil, err
	}
	again, err := parse(text)
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(config, again) {
		return nil, errors.New("it has something that would not stay the same if it was written again")
	}
	return text, nil
}
