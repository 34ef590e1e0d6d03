package node

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/program"
)

// maxVolumeBytes is how much the volumes of a Pod may hold at first. ConfigMaps and Secrets have a
// mebibyte each at most, and one of them can be in many volumes.
const maxVolumeBytes = 64 << 20

// makeVolumes makes a folder for each emptyDir and configMap volume below dir, and for each secret
// volume below secretDir. It returns the variables in which processes find them:
// PROBITY_VOLUME_<NAME>. Other kinds of volumes are reported as not applied when the manifest is
// read.
func makeVolumes(pod *corev1.Pod, objects program.Objects, dir, secretDir string) (map[string]string, error) {
	vars := map[string]string{}
	size := 0
	for _, v := range pod.Spec.Volumes {
		files, known, err := volumeFiles(pod.Namespace, v, objects)
		if err != nil {
			return nil, err
		}
		if !known {
			continue
		}
		for _, content := range files {
			size += len(content)
		}
		if size > maxVolumeBytes {
			return nil, fmt.Errorf("cannot make volume %s: with it, the volumes of this Pod hold more than %d bytes", v.Name, maxVolumeBytes)
		}
		folder := filepath.Join(dir, v.Name)
		if v.Secret != nil {
			folder = filepath.Join(secretDir, v.Name)
		}
		if err := writeVolume(folder, files); err != nil {
			return nil, fmt.Errorf("cannot make volume %s: %w", v.Name, err)
		}
		vars["PROBITY_VOLUME_"+variableName(v.Name)] = folder
	}
	return vars, nil
}

// volumeFiles are the files that a volume holds at first, by relative path. known is false for a
// kind of volume that is not made here.
func volumeFiles(namespace string, v corev1.Volume, objects program.Objects) (files map[string][]byte, known bool, err error) {
	switch {
	case v.EmptyDir != nil:
		return nil, true, nil
	case v.ConfigMap != nil:
		cm, ok := objects.ConfigMap(namespace, v.ConfigMap.Name)
		if !ok {
			return nil, true, program.NotFound("configmap", v.ConfigMap.Name, v.ConfigMap.Optional)
		}
		files, err = selectItems(configMapFiles(cm), v.ConfigMap.Items, v.ConfigMap.Optional, "configmap", cm.Name)
		return files, true, err
	case v.Secret != nil:
		secret, ok := objects.Secret(namespace, v.Secret.SecretName)
		if !ok {
			return nil, true, program.NotFound("secret", v.Secret.SecretName, v.Secret.Optional)
		}
		files, err = selectItems(program.SecretData(secret), v.Secret.Items, v.Secret.Optional, "secret", secret.Name)
		return files, true, err
	}
	return nil, false, nil
}

// configMapFiles are all entries of a ConfigMap, text and binary.
func configMapFiles(cm *corev1.ConfigMap) map[string][]byte {
	files := map[string][]byte{}
	for key, value := range cm.Data {
		files[key] = []byte(value)
	}
	maps.Copy(files, cm.BinaryData)
	return files
}

// selectItems takes the keys that items list and gives them their paths; without items it takes all
// keys, each as its own path.
func selectItems(data map[string][]byte, items []corev1.KeyToPath, optional *bool, kind, name string) (map[string][]byte, error) {
	if len(items) == 0 {
		return data, nil
	}
	files := map[string][]byte{}
	for _, item := range items {
		content, ok := data[item.Key]
		switch {
		case ok:
			files[item.Path] = content
		case optional == nil || !*optional:
			return nil, fmt.Errorf("%s %q references non-existent key: %s", kind, name, item.Key)
		}
	}
	return files, nil
}

// writeVolume makes a folder and its files. It writes through an os.Root, so that no path leads out
// of the folder.
func writeVolume(folder string, files map[string][]byte) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	for path, content := range files {
		if err := root.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := root.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// variableName turns a name into one that a variable may have: http-admin into HTTP_ADMIN.
func variableName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
}
