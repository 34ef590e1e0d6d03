package credentials

import (
	"encoding/base64"
	"fmt"

	"go.yaml.in/yaml/v3"
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
	sets       [][2]string // names of fields and their texts
	drops      []string    // what would speak against it
}

func (e Entry) sections() []section {
	return []section{
		{
			list: "clusters", item: "cluster",
			sets:  [][2]string{{"server", e.Server}, {"certificate-authority-data", base64.StdEncoding.EncodeToString(e.Authority)}},
			drops: []string{"certificate-authority", "insecure-skip-tls-verify"},
		},
		{
			list: "users", item: "user",
			sets:  [][2]string{{"token", e.Token}},
			drops: []string{"tokenFile"},
		},
		{
			list: "contexts", item: "context",
			sets: [][2]string{{"cluster", e.Name}, {"user", e.Name}},
		},
	}
}

// merge puts an entry into a kubeconfig and returns what it becomes. An empty one is a new one. All
// else stays: what nobody here knows, order and comments; only the indentation is kubectl's.
func merge(kubeconfig []byte, e Entry) ([]byte, error) {
	document, err := parseYAML(kubeconfig)
	if err != nil {
		return nil, err
	}
	config := document.Content[0]
	if err := checkKind(config); err != nil {
		return nil, err
	}
	for _, s := range e.sections() {
		if err := s.put(config, e.Name); err != nil {
			return nil, err
		}
	}
	if current := field(config, "current-context"); current == nil || current.Kind == yaml.ScalarNode && current.Value == "" {
		setText(config, "current-context", e.Name)
	}
	return formatYAML(document)
}

// checkKind refuses what is something else than a kubeconfig. kubectl reads one that does not say
// that it is one, so that is completed.
func checkKind(config *yaml.Node) error {
	takenFor := len(config.Content) == 0 || field(config, "clusters") != nil
	for _, want := range [][2]string{{"apiVersion", "v1"}, {"kind", "Config"}} {
		switch got := field(config, want[0]); {
		case got == nil && takenFor:
			setText(config, want[0], want[1])
		case got == nil:
			return fmt.Errorf("it is not a kubeconfig: it has no %s", want[0])
		case got.Value != want[1]:
			return fmt.Errorf("it is not a kubeconfig: its %s is %q, not %s", want[0], got.Value, want[1])
		}
	}
	return nil
}

// put adds the entry to its list, or brings the one up to date that is there.
func (s section) put(config *yaml.Node, name string) error {
	list := field(config, s.list)
	if list == nil {
		list = &yaml.Node{Kind: yaml.SequenceNode}
		setField(config, s.list, list)
	}
	if list.Kind != yaml.SequenceNode {
		return fmt.Errorf("its %s are not a list", s.list)
	}
	entry, err := s.find(list, name)
	if err != nil {
		return err
	}
	if entry == nil {
		entry = s.add(list, name)
	}
	fields := field(entry, s.item)
	if !isOurs(fields) {
		return fmt.Errorf("it has a %s %s that Probity did not make: rename or remove that one", s.item, name)
	}
	for _, drop := range s.drops {
		dropField(fields, drop)
	}
	for _, set := range s.sets {
		setText(fields, set[0], set[1])
	}
	return nil
}

// find returns the entry of a name; nil if there is none.
func (s section) find(list *yaml.Node, name string) (found *yaml.Node, err error) {
	for i, entry := range list.Content {
		if entry.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("its %s[%d] is not a mapping", s.list, i)
		}
		if named := field(entry, "name"); named == nil || named.Value != name {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("it has two %s of the name %s: remove one", s.list, name)
		}
		found = entry
	}
	return found, nil
}

// add appends an entry that has nothing but the mark.
func (s section) add(list *yaml.Node, name string) *yaml.Node {
	if len(list.Content) == 0 {
		list.Style = 0 // not between brackets
	}
	provider, extension, fields, entry := newMapping(), newMapping(), newMapping(), newMapping()
	setText(provider, "provider", mark)
	setText(extension, "name", mark)
	setField(extension, "extension", provider)
	setField(fields, "extensions", &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{extension}})
	setText(entry, "name", name)
	setField(entry, s.item, fields)
	list.Content = append(list.Content, entry)
	return entry
}

// isOurs reports whether the fields of a cluster, user or context bear Probity's mark.
func isOurs(fields *yaml.Node) bool {
	extensions := field(fields, "extensions")
	if extensions == nil {
		return false
	}
	for _, extension := range extensions.Content {
		if name := field(extension, "name"); name != nil && name.Value == mark {
			return true
		}
	}
	return false
}
