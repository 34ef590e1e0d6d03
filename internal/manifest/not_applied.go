package manifest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

var listIndex = regexp.MustCompile(`\[\d+\]`)

// Why a field cannot be honoured, where several share the reason.
const (
	noIsolation  = "a process shares this machine's namespaces"
	noScheduling = "there is one machine, so nothing is scheduled"
	noIdentity   = "the process runs as the user who started Probity"
	noAccounts   = "there are no service accounts"
	noDNS        = "names are resolved as this machine resolves them"
	noImage      = "the program runs from its command, no image is pulled"
	noLimits     = "limits are not enforced"
	noRequests   = "requests are not reserved"
	noMount      = "nothing is mounted, the folder is in $PROBITY_VOLUME_<NAME>"
	noVolume     = "only emptyDir, configMap and secret volumes are made here"
	noTerminal   = "standard input is empty and there is no terminal"
	noMessage    = "no termination message is read"
	noStorage    = "there is no persistent storage"
	onLoopback   = "the Service listens on this machine's loopback addresses only"
	ownAddress   = "the Service gets an address of its own in 127.0.0.0/8"
	oneMachine   = "there is one machine"
	onlyTCP      = "the Service carries TCP only, so nobody answers on this port"
)

// NotAppliedHere begins what an API server of Probity says of a field with no effect; its path
// follows.
const NotAppliedHere = "not applied here: "

// podNotApplied names the fields of a pod's spec that a local process cannot honour, and why. A
// whole object or list is named once, by its own field.
func podNotApplied() map[string]string {
	reasons := map[string]string{
		"activeDeadlineSeconds":        "the pod runs until it ends or is stopped",
		"affinity":                     noScheduling,
		"automountServiceAccountToken": noAccounts,
		"dnsConfig":                    noDNS,
		"hostIPC":                      noIsolation,
		"hostPID":                      noIsolation,
		"hostUsers":                    noIsolation,
		"imagePullSecrets":             noImage,
		"nodeName":                     noScheduling,
		"nodeSelector":                 noScheduling,
		"os":                           noScheduling,
		"overhead":                     noScheduling,
		"preemptionPolicy":             noScheduling,
		"priority":                     noScheduling,
		"priorityClassName":            noScheduling,
		"resourceClaims":               noScheduling,
		"resources":                    "limits are not enforced and requests not reserved",
		"runtimeClassName":             "no container runtime is involved",
		"schedulerName":                noScheduling,
		"schedulingGates":              noScheduling,
		"securityContext":              noIdentity,
		"serviceAccount":               noAccounts,
		"serviceAccountName":           noAccounts,
		"shareProcessNamespace":        noIsolation,
		"tolerations":                  noScheduling,
		"topologySpreadConstraints":    noScheduling,
		"volumes[].emptyDir.medium":    "the folder is on disk",
		"volumes[].emptyDir.sizeLimit": noLimits,
	}
	for field, reason := range containerNotApplied() {
		reasons["containers[]."+field] = reason
		reasons["initContainers[]."+field] = reason
	}
	for _, source := range volumeTypes() {
		if !slices.Contains([]string{"emptyDir", "configMap", "secret"}, source) {
			reasons["volumes[]."+source] = noVolume
		}
	}
	return reasons
}

// containerNotApplied is the same for a container.
func containerNotApplied() map[string]string {
	return map[string]string{
		"image":                      noImage,
		"imagePullPolicy":            noImage,
		"resizePolicy":               "limits are not enforced and requests not reserved",
		"resources.claims":           noScheduling,
		"resources.limits":           noLimits,
		"resources.requests":         noRequests,
		"securityContext":            noIdentity,
		"stdin":                      noTerminal,
		"stdinOnce":                  noTerminal,
		"terminationMessagePath":     noMessage,
		"terminationMessagePolicy":   noMessage,
		"tty":                        noTerminal,
		"volumeDevices":              "block devices are not attached",
		"volumeMounts[].mountPath":   noMount,
		"volumeMounts[].subPath":     noMount,
		"volumeMounts[].subPathExpr": noMount,
		"volumeMounts[].readOnly":    "nothing is mounted, the process may write to the folder",
	}
}

// objectNotApplied is the same for the object around the pod, and for Services.
func objectNotApplied(kind string) map[string]string {
	switch kind {
	case "StatefulSet":
		return map[string]string{
			"spec.volumeClaimTemplates":                 noStorage,
			"spec.persistentVolumeClaimRetentionPolicy": noStorage,
		}
	case "Service":
		return map[string]string{
			"spec.allocateLoadBalancerNodePorts": onLoopback,
			"spec.clusterIP":                     ownAddress,
			"spec.clusterIPs":                    ownAddress,
			"spec.externalIPs":                   onLoopback,
			"spec.externalTrafficPolicy":         onLoopback,
			"spec.healthCheckNodePort":           onLoopback,
			"spec.internalTrafficPolicy":         oneMachine,
			"spec.ipFamilies":                    onLoopback,
			"spec.ipFamilyPolicy":                onLoopback,
			"spec.loadBalancerClass":             onLoopback,
			"spec.loadBalancerIP":                onLoopback,
			"spec.loadBalancerSourceRanges":      onLoopback,
			"spec.ports[].nodePort":              onLoopback,
			"spec.ports[].protocol":              onlyTCP,
			"spec.trafficDistribution":           oneMachine,
		}
	}
	return nil
}

// volumeTypes lists the names of all volume sources.
func volumeTypes() []string {
	d := (&decoder{}).next()
	var names []string
	for _, f := range d.structFields(reflect.TypeFor[corev1.VolumeSource]()) {
		names = append(names, f.name)
	}
	return names
}

// notApplied lists the fields of o that someone wrote and that have no effect here, in the order of
// the file.
func notApplied(o Object) []Note {
	idle := newIdleFields(o)
	var notes []Note
	for path, m := range o.fields {
		if reason := idle.reason(path); reason != "" && !m.null {
			notes = append(notes, Note{m.in(o.Position.File), o.Ref(), path, reason, o.Original(path)})
		}
	}
	slices.SortFunc(notes, func(a, b Note) int {
		return cmp.Or(a.compare(b.Position), strings.Compare(a.Field, b.Field))
	})
	return notes
}

// NotApplied lists the fields of an object that have no effect here, in the order of their paths,
// for objects that come from no file. A field with the value that it has by default anyway says
// nothing, and is left out.
func NotApplied(r Resource) []Warning {
	idle := newIdleFields(Object{Resource: r})
	content := contentOf(r)
	var warnings []Warning
	for path := range fieldPaths("", content) {
		if reason := idle.reason(path); reason != "" {
			warnings = append(warnings, Warning{path, reason})
		}
	}
	if len(warnings) == 0 {
		return nil
	}
	slices.SortFunc(warnings, func(a, b Warning) int { return strings.Compare(a.Field, b.Field) })
	// an image has no default, and that of its pull policy follows from it
	isImage := func(w Warning) bool { return strings.HasSuffix(w.Field, ".image") }
	usual := usualContent(r, slices.DeleteFunc(slices.Clone(warnings), isImage))
	return slices.DeleteFunc(warnings, func(w Warning) bool {
		if isImage(w) {
			return false
		}
		value, found := valueAt(usual, w.Field)
		own, _ := valueAt(content, w.Field)
		return found && reflect.DeepEqual(value, own)
	})
}

// contentOf is an object as JSON has it.
func contentOf(r Resource) (content map[string]any) {
	text, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(text, &content)
	}
	if err != nil {
		panic(fmt.Sprintf("manifest: a %T is no JSON object: %v", r, err)) // it was read from one
	}
	return content
}

// usualContent is the object with the defaults for some of its fields, whatever they are.
func usualContent(r Resource, without []Warning) map[string]any {
	content := contentOf(r)
	for _, w := range without {
		parent, name := w.Field, ""
		if dot := strings.LastIndexByte(parent, '.'); dot >= 0 {
			parent, name = parent[:dot], parent[dot+1:]
		}
		if fields, ok := valueAt(content, parent); ok {
			if m, ok := fields.(map[string]any); ok {
				delete(m, name)
			}
		}
	}
	usual := reflect.New(reflect.TypeOf(r).Elem()).Interface().(Resource)
	text, err := json.Marshal(content)
	if err == nil {
		err = json.Unmarshal(text, usual)
	}
	if err != nil {
		return nil // then no field is taken for a default
	}
	Default(usual)
	return contentOf(usual)
}

// valueAt finds a value by the path of its field.
func valueAt(value any, path string) (any, bool) {
	for part := range strings.SplitSeq(path, ".") {
		name, index, _ := strings.Cut(part, "[")
		fields, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = fields[name]; !ok {
			return nil, false
		}
		if index == "" {
			continue
		}
		i, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
		list, ok := value.([]any)
		if err != nil || !ok || i >= len(list) {
			return nil, false
		}
		value = list[i]
	}
	return value, true
}

// fieldPaths are the paths of the fields below a value.
func fieldPaths(path string, value any) iter.Seq[string] {
	return func(yield func(string) bool) {
		switch value := value.(type) {
		case map[string]any:
			for key, below := range value {
				at := childPath(path, key)
				if !yield(at) {
					return
				}
				for p := range fieldPaths(at, below) {
					if !yield(p) {
						return
					}
				}
			}
		case []any:
			for i, below := range value {
				for p := range fieldPaths(fmt.Sprintf("%s[%d]", path, i), below) {
					if !yield(p) {
						return
					}
				}
			}
		}
	}
}

// idleFields tells which fields of an object have no effect here.
type idleFields struct {
	object  Object
	reasons map[string]string // by field of the object, without indexes
	podPath string
	inPod   map[string]string // by field of the pod's spec
}

func newIdleFields(o Object) idleFields {
	idle := idleFields{object: o, reasons: objectNotApplied(o.Ref().Kind)}
	if _, _, prefix, isPod := o.Template(); isPod {
		idle.podPath, idle.inPod = childPath(prefix, "spec")+".", podNotApplied()
	}
	return idle
}

// reason is why a field has no effect; "" if it has one, or is not known here.
func (f idleFields) reason(path string) string {
	if isHeadless(f.object, path) || isApplied(f.object, path) {
		return ""
	}
	pattern := listIndex.ReplaceAllString(path, "[]")
	if reason, found := f.reasons[pattern]; found {
		return reason
	}
	if inPod, ok := strings.CutPrefix(pattern, f.podPath); ok && f.podPath != "" {
		return f.inPod[inPod]
	}
	return ""
}

// isHeadless reports whether the field is clusterIP: None, which does have an effect.
func isHeadless(o Object, path string) bool {
	s, ok := o.Resource.(*corev1.Service)
	return ok && s.Spec.ClusterIP == corev1.ClusterIPNone && strings.HasPrefix(path, "spec.clusterIP")
}

// isApplied reports whether the field is the protocol of a Service port that Probity serves as that
// says, or that nobody would serve elsewhere either.
func isApplied(o Object, path string) bool {
	s, ok := o.Resource.(*corev1.Service)
	var i int
	if n, err := fmt.Sscanf(path, "spec.ports[%d].protocol", &i); !ok || n != 1 || err != nil || i >= len(s.Spec.Ports) {
		return false
	}
	hasAddress := s.Spec.ClusterIP != corev1.ClusterIPNone && s.Spec.Type != corev1.ServiceTypeExternalName
	return !hasAddress || s.Spec.Ports[i].Protocol == corev1.ProtocolTCP
}
