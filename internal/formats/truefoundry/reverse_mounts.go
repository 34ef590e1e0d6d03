package truefoundry

import "slices"

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
		out.set("data", data)
		return out, ok
	}
	return out, false
}

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
