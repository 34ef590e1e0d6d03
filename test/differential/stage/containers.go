package stage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/test/differential/ledger"
)

// Object is an object as a manifest has it: nothing is filled in.
type Object = unstructured.Unstructured

// ContainerSetup is what every container of a scenario needs on a system.
type ContainerSetup struct {
	// Player is the path of the player in a container.
	Player string
	// Image is the image of all containers.
	Image string
	// Ledger is the ledger's folder in a container.
	Ledger string
	// Mount is the folder of this machine that is mounted there. Empty means that containers see
	// the machine's folders.
	Mount string
}

// prepare reads a manifest and gives its containers what they need; PLAYER stands for the player in
// it.
func prepare(manifest string, c ContainerSetup) ([]Object, error) {
	var objects []Object
	for document := range strings.SplitSeq(strings.ReplaceAll(manifest, "PLAYER", c.Player), "\n---\n") {
		if strings.TrimSpace(document) == "" {
			continue
		}
		var o Object
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			return nil, fmt.Errorf("cannot read the manifest: %w\n%s", err, document)
		}
		spec, path := o.Object["spec"], []string{"spec"}
		if template, ok, _ := unstructured.NestedMap(o.Object, "spec", "template", "spec"); ok {
			spec, path = template, []string{"spec", "template", "spec"}
		}
		if o.GetKind() == "Service" {
			objects = append(objects, o)
			continue
		}
		prepared, err := prepareSpec(spec, c)
		if err == nil {
			err = unstructured.SetNestedField(o.Object, prepared, path...)
		}
		if err != nil {
			return nil, fmt.Errorf("cannot prepare %s %s: %w", o.GetKind(), o.GetName(), err)
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// prepareSpec gives every container the image and the way to the ledger.
func prepareSpec(raw any, c ContainerSetup) (map[string]any, error) {
	data, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	var spec corev1.PodSpec
	if err := yaml.UnmarshalStrict(data, &spec); err != nil {
		return nil, err
	}
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			containers[i].Image, containers[i].ImagePullPolicy = c.Image, corev1.PullNever
			containers[i].Env = slices.Concat(containers[i].Env, []corev1.EnvVar{
				{Name: ledger.EnvDir, Value: c.Ledger},
				{Name: ledger.EnvPod, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
			})
			if c.Mount != "" {
				containers[i].VolumeMounts = append(containers[i].VolumeMounts, corev1.VolumeMount{Name: "ledger", MountPath: c.Ledger})
			}
		}
	}
	if c.Mount != "" {
		spec.Volumes = append(spec.Volumes, corev1.Volume{Name: "ledger", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: c.Mount}}})
	}
	return asMap(spec)
}

func asMap(spec corev1.PodSpec) (m map[string]any, err error) {
	data, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(data, &m)
	return m, err
}

// startTimes are the times at which processes started, in order.
func startTimes(ledgers map[string][]ledger.Line) []time.Time {
	var times []time.Time
	for _, lines := range ledgers {
		for _, l := range lines {
			if l.Kind == ledger.Start {
				times = append(times, l.Time())
			}
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}
