package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestVolumes(t *testing.T) {
	dir := t.TempDir()
	pod := examplePod(corev1.Container{})
	pod.Spec.Volumes = []corev1.Volume{
		{Name: "scratch-space", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		{Name: "conf", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}, Items: []corev1.KeyToPath{{Key: "k", Path: "sub/file"}}}}},
		{Name: "key", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}},
		{Name: "disk", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "c"}}},
	}
	secretDir := t.TempDir()
	vars, err := makeVolumes(pod, exampleObjects(), dir, secretDir)
	if err != nil {
		t.Fatal(err)
	}
	if len(vars) != 3 {
		t.Errorf("variables = %v, want three: a claim is not made here", vars)
	}
	if info, err := os.Stat(vars["PROBITY_VOLUME_SCRATCH_SPACE"]); err != nil || !info.IsDir() {
		t.Errorf("emptyDir: %v", err)
	}
	if in := vars["PROBITY_VOLUME_KEY"]; filepath.Dir(in) != secretDir {
		t.Errorf("the Secret's volume is %s, want it in %s", in, secretDir)
	}
	for path, want := range map[string]string{
		filepath.Join(vars["PROBITY_VOLUME_CONF"], "sub/file"): "v",
		filepath.Join(vars["PROBITY_VOLUME_KEY"], "k"):         "secret",
	} {
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s = %q, %v, want %q", path, got, err, want)
		}
	}
}

// TestVolumesOfOneConfigMap: one ConfigMap in many volumes does not fill the disk.
func TestVolumesOfOneConfigMap(t *testing.T) {
	objects := exampleObjects()
	objects.configMaps["cm"].Data["k"] = strings.Repeat("x", 1<<20)
	pod := examplePod(corev1.Container{})
	for i := range 65 {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: fmt.Sprintf("v%d", i), VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}, Items: []corev1.KeyToPath{{Key: "k", Path: "k"}}}}})
	}
	_, err := makeVolumes(pod, objects, t.TempDir(), t.TempDir())
	if want := "cannot make volume v64: with it, the volumes of this Pod hold more than 67108864 bytes"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	pod.Spec.Volumes = pod.Spec.Volumes[:2]
	if _, err := makeVolumes(pod, objects, t.TempDir(), t.TempDir()); err != nil {
		t.Error(err)
	}
}

// TestPodDirName: a file system takes names of up to 255 bytes, Kubernetes of up to 253 each.
func TestPodDirName(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", UID: "42"}}
	if got := podDirName(pod); got != "default_web_42" {
		t.Errorf("got %s, want default_web_42", got)
	}
	pod.Namespace, pod.Name, pod.UID = strings.Repeat("n", 63), strings.Repeat("p", 253), types.UID(strings.Repeat("u", 36))
	got := podDirName(pod)
	if len(got) != maxPodDirName || !strings.HasSuffix(got, "p_"+string(pod.UID)) {
		t.Errorf("got %s of %d bytes", got, len(got))
	}
}

func TestVolumesStayInside(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	err := writeVolume(filepath.Join(t.TempDir(), "v"), map[string][]byte{"../../outside": []byte("x")})
	if err == nil {
		t.Error("a path that leads out of the volume was written")
	}
	if _, err := os.Stat(outside); err == nil {
		t.Error("a file appeared outside of the volume")
	}
}

func TestMissingVolumeSources(t *testing.T) {
	for name, test := range map[string]struct {
		source  corev1.VolumeSource
		wantErr string
	}{
		"configmap":          {corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "gone"}}}, `configmap "gone" not found`},
		"optional configmap": {corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "gone"}, Optional: new(true)}}, ""},
		"key": {corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s", Items: []corev1.KeyToPath{{Key: "gone", Path: "p"}}}},
			`secret "s" references non-existent key: gone`},
	} {
		t.Run(name, func(t *testing.T) {
			pod := examplePod(corev1.Container{})
			pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: test.source}}
			_, err := makeVolumes(pod, exampleObjects(), t.TempDir(), t.TempDir())
			if got := errorText(err); got != test.wantErr {
				t.Errorf("error = %q, want %q", got, test.wantErr)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
