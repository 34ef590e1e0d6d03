package truefoundry

import (
	"path"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/formats/tree"
)

// scheme begins a reference to a secret.
const scheme = "tfy-secret://"

// A reference names a secret: a key of a group, which is a Secret in Kubernetes.
type reference struct{ group, key string }

// parseReference reads tfy-secret://tenant:group:key, also with slashes between the names.
func parseReference(text string) (reference, bool) {
	rest, ok := strings.CutPrefix(text, scheme)
	parts := strings.FieldsFunc(rest, func(r rune) bool { return r == ':' || r == '/' })
	if !ok || len(parts) != 3 {
		return reference{}, false
	}
	return reference{parts[1], parts[2]}, true
}

// objectName makes a name of Kubernetes of what need not be one.
func objectName(name string) string {
	mapped := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	return strings.Trim(mapped, "-.")
}

// secretKey is the reference to a key of a Secret. For a run on this machine it asks for the value,
// by the name that is told, and makes a Secret of it: one of the service, as two services may be
// given different ones.
func (s *service) secretKey(at tree.Value, r reference, name string) *yaml.Node {
	secret := objectName(r.group)
	if s.opts.Run {
		secret = objectName(s.name + "." + r.group)
		if s.opts.Asked != nil {
			s.opts.Asked(name)
		}
		value, ok := s.opts.Env[name]
		if !ok {
			s.fail(at, "it is a reference to a secret, which has no value here: give it with --env %s=VALUE, or as a line in a file with --env-file", name)
		}
		s.secrets[secret] = append(s.secrets[secret], entry{r.key, value, at})
	}
	return s.Map(at, pair("name", s.String(at, secret)), pair("key", s.String(at, r.key)))
}

// secretObjects are the Secrets of a run on this machine.
func (s *service) secretObjects() {
	for _, name := range sortedKeys(s.secrets) {
		b := tree.NewBuilder()
		from := s.secrets[name][0].from
		data := b.Map(from)
		seen := map[string]bool{}
		for _, e := range s.secrets[name] {
			if !seen[e.key] {
				seen[e.key] = true
				b.Set(data, e.key, b.String(e.from, e.value))
			}
		}
		meta := b.Map(from, pair("name", b.String(from, name)))
		if namespace := namespaceOf(s.workspace); namespace != "" {
			b.Set(meta, "namespace", b.String(s.workspace, namespace))
		}
		s.add(b, root(b, s.doc, "v1", "Secret", pair("metadata", meta), pair("stringData", data)))
	}
}

// A file is the text of a string mount.
type file struct {
	key  string
	data tree.Value
}

// mount adds the volumes of the mounts.
func (s *service) mount() {
	for i, v := range s.doc.Field("mounts").Items() {
		to := v.Field("mount_path")
		if !v.IsObject() || !to.Is() {
			continue
		}
		name := "mount-" + strconv.Itoa(i)
		mount := s.Map(v, pair("name", s.String(v, name)), pair("mountPath", s.String(to, to.Node.Value)))
		volume := s.Map(v, pair("name", s.String(v, name)))
		switch v.Field("type").String() {
		case "secret":
			s.secretMount(v, volume, mount)
		case "string":
			key := strconv.Itoa(i) + "-" + fileKey(to.Node.Value)
			s.files = append(s.files, file{key, v.Field("data")})
			s.Set(volume, "configMap", s.Map(v, pair("name", s.String(v, s.name+"-files"))))
			s.Set(mount, "subPath", s.String(v, key))
		case "volume":
			fqn := v.Field("volume_fqn")
			claim := plainText(fqn)[strings.LastIndexAny(plainText(fqn), ":/")+1:]
			s.longName(fqn, claim, "a volume")
			s.Set(volume, "persistentVolumeClaim", s.Map(fqn, pair("claimName", s.String(fqn, claim))))
			if sub := v.Field("sub_path"); sub.Is() {
				s.Set(mount, "subPath", s.String(sub, sub.Node.Value))
			}
		default:
			continue
		}
		s.volumes, s.mounts = append(s.volumes, volume), append(s.mounts, mount)
	}
}

func (s *service) secretMount(v tree.Value, volume, mount *yaml.Node) {
	fqn := v.Field("secret_fqn")
	text := plainText(fqn)
	if !strings.HasPrefix(text, scheme) {
		text = scheme + text // a name without what begins it is as good
	}
	r, ok := parseReference(text)
	if !ok {
		if fqn.Is() {
			s.fail(fqn, "it is no reference to a secret: write tfy-secret://TENANT:GROUP:KEY")
		}
		return
	}
	reference := s.secretKey(fqn, r, r.key)
	secret := reference.Content[1]
	items := s.List(fqn, s.Map(fqn, pair("key", s.String(fqn, r.key)), pair("path", s.String(fqn, r.key))))
	s.Set(volume, "secret", s.Map(fqn, pair("secretName", secret), pair("items", items)))
	s.Set(mount, "subPath", s.String(fqn, r.key))
}

// fileKey is the key of a ConfigMap for a file.
func fileKey(mountPath string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, path.Base(mountPath))
}

// configMap has the texts of string mounts.
func (s *service) configMap() {
	if len(s.files) == 0 {
		return
	}
	b := tree.NewBuilder()
	mounts := s.doc.Field("mounts")
	data := b.Map(mounts)
	for _, f := range s.files {
		if f.data.Node != nil {
			b.Set(data, f.key, b.String(f.data, f.data.Node.Value))
		}
	}
	s.add(b, root(b, s.doc, "v1", "ConfigMap", pair("metadata", metadata(b, s.doc, s.workspace, s.name+"-files")), pair("data", data)))
}
