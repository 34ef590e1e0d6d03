package system

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// programDescription is what decides where the programs of a Pod listen.
type programDescription struct {
	Image, Line   string
	Command, Args []string
	Env           []corev1.EnvVar
	Ports         []int32
	File          string // the program itself, as it is now
}

// programKey names the programs of a Pod: those of the next run have the same one, unless the
// manifest or a program was changed.
func programKey(pod *corev1.Pod) string {
	var all []programDescription
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		d := programDescription{Image: c.Image, Line: pod.Annotations[manifest.AnnotationCommand+c.Name], Command: c.Command, Args: c.Args, Env: c.Env}
		for _, p := range c.Ports {
			d.Ports = append(d.Ports, p.ContainerPort)
		}
		d.File = fileState(filepath.Dir(pod.Annotations[manifest.AnnotationManifest]), &d)
		all = append(all, d)
	}
	data, err := json.Marshal(all)
	if err != nil {
		return "" // cannot be: it is made of plain values
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// fileState is the time and size of the files that a command line names, seen from a folder: a
// program that was built anew, or a script that was edited, may listen elsewhere.
func fileState(folder string, d *programDescription) string {
	words := slices.Concat(d.Command, d.Args)
	if line, err := manifest.SplitWords(d.Line); err == nil && len(line) > 0 {
		words = line
	}
	var state strings.Builder
	for _, word := range words {
		if !filepath.IsAbs(word) {
			word = filepath.Join(folder, word)
		}
		if info, err := os.Stat(word); err == nil && info.Mode().IsRegular() {
			state.WriteString(word + " " + info.ModTime().UTC().Format(time.RFC3339Nano) + "\n")
		}
	}
	return state.String()
}
