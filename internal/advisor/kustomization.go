package advisor

import (
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// kustomizations know which files a kustomization completes, and remember what they have read.
type kustomizations struct {
	inFolder map[string]bool
	patches  map[string]map[string]bool // by folder
}

func newKustomizations() *kustomizations {
	return &kustomizations{map[string]bool{}, map[string]map[string]bool{}}
}

// completes reports whether a kustomization adds to what is in a file: there is one beside the
// file, or one above it names the file as a patch, which is then no object of its own.
func (k *kustomizations) completes(file string) (isPiece, isPatch bool) {
	if file == StdinName {
		return false, false
	}
	folder := filepath.Dir(file)
	for range 4 { // patches lie in the kustomization's folder or not far below
		k.read(folder)
		isPatch = isPatch || k.patches[folder][filepath.Clean(file)]
		isPiece = isPiece || isPatch || k.inFolder[folder] && folder == filepath.Dir(file)
		up := filepath.Dir(folder)
		if up == folder {
			break
		}
		folder = up
	}
	return isPiece, isPatch
}

// read reads the kustomization of a folder, if there is one. One that cannot be read completes
// nothing; kustomize itself says what is wrong with it.
func (k *kustomizations) read(folder string) {
	if k.patches[folder] != nil {
		return
	}
	k.patches[folder] = map[string]bool{}
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		path := filepath.Join(folder, name)
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		k.inFolder[folder] = true
		text, err := readFile(path)
		var content struct {
			Patches               []struct{ Path string } `yaml:"patches"`
			PatchesStrategicMerge []string                `yaml:"patchesStrategicMerge"`
		}
		if err != nil || yaml.Unmarshal(text, &content) != nil {
			continue
		}
		for _, p := range content.Patches {
			k.patches[folder][filepath.Join(folder, p.Path)] = true
		}
		for _, p := range content.PatchesStrategicMerge {
			k.patches[folder][filepath.Join(folder, p)] = true
		}
	}
}
