package truefoundry

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"
)

// mounts are those that are a file of a ConfigMap or a Secret, or the folder of a claim.
func (r *reverse) mounts(o *taken, c, pod map[string]any) []mapping {
	volumes := map[string]map[string]any{}
	for _, item := range listAt(pod, "volumes") {
		if v, ok := item.(map[string]any); ok {
			name, _ := v["name"].(string)
			volumes[name] = v
		}
	}
	var list []mapping
	var used []string
	for _, item := range listAt(c, "volumeMounts") {
		m, _ := item.(map[string]any)
		name, _ := m["name"].(string)
		mount, ok := r.mount(o, m, volumes[name])
		if !ok {
			continue
		}
		list, used = append(list, mount), append(used, name)
		clear(m)
	}
	for _, name := range used {
		clear(volumes[name])
	}
	return list
}

func (r *reverse) mount(o *taken, m, volume map[string]any) (mapping, bool) {
	out := newMapping()
	path, _ := m["mountPath"].(string)
	sub, _ := m["subPath"].(string)
	claim, _ := mapAt(volume, "persistentVolumeClaim")["claimName"].(string)
	secret, _ := mapAt(volume, "secret")["secretName"].(string)
	config, _ := mapAt(volume, "configMap")["name"].(string)
	switch {
	case claim != "":
		out.set("type", "volume")
		out.set("mount_path", path)
		out.set("sub_path", sub)
		out.set("volume_fqn", "tfy-volume://CLUSTER:"+or(o.namespace(), "default")+":"+claim)
		return out, true
	case secret != "" && sub != "":
		out.set("type", "secret")
		out.set("mount_path", path)
		out.set("secret_fqn", scheme+"TENANT:"+secret+":"+sub)
		return out, true
	case config != "" && sub != "":
		data, ok := r.dataOf(o, config, sub)
		out.set("type", "string")
		out.set("mount_path", path)
		text := &yaml.Node{}
		text.SetString(data)
		if data == "" {
			text.Style = yaml.DoubleQuotedStyle
		}
		out.set("data", text)
		return out, ok
	}
	return out, false
}

// takeSharedMemory is the size of a volume in memory at /dev/shm, in MB; nil if there is none, or
// if it has no size.
func takeSharedMemory(c, pod map[string]any) any {
	mounts := listAt(c, "volumeMounts")
	i := slices.IndexFunc(mounts, func(item any) bool {
		m, _ := item.(map[string]any)
		return m["mountPath"] == "/dev/shm" && m["subPath"] == nil && m["readOnly"] != true
	})
	if i < 0 {
		return nil
	}
	mount := mounts[i].(map[string]any)
	for _, item := range listAt(pod, "volumes") {
		volume, _ := item.(map[string]any)
		dir := mapAt(volume, "emptyDir")
		size, err := resource.ParseQuantity(fmt.Sprint(dir["sizeLimit"]))
		if volume["name"] != mount["name"] || dir["medium"] != "Memory" || err != nil {
			continue
		}
		clear(volume)
		clear(mount)
		return inMB(size)
	}
	return nil
}

// inMB is a size in MB, none of which is lost.
func inMB(size resource.Quantity) int64 { return (size.Value() + 999_999) / 1_000_000 }

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// dataOf takes a text from a ConfigMap of the same files.
func (r *reverse) dataOf(o *taken, name, key string) (string, bool) {
	i := slices.IndexFunc(r.all, func(c *taken) bool {
		return c.kind() == "ConfigMap" && c.name() == name && c.namespace() == o.namespace()
	})
	if i < 0 {
		return "", false
	}
	data := mapAt(r.all[i].content, "data")
	text, ok := data[key].(string)
	delete(data, key)
	r.all[i].isUsed = true
	return text, ok
}
