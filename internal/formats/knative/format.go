// Package knative reads services of Knative and of Cloud Run, which writes them in the same form: a
// Pod's spec in another wrapper, with Kubernetes' own probes. It is pure.
package knative

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/formats/tree"
	"github.com/probity-run/probity/internal/manifest"
)

// The names of the formats.
const (
	KnativeName  = "Knative"
	CloudRunName = "Cloud Run"
)

// Format reads services of one of the two. It does not change and may be used at the same time.
type Format struct {
	name     string
	cloudRun bool
}

// Knative returns the format of Knative's services.
func Knative() Format { return Format{KnativeName, false} }

// CloudRun returns the format of Cloud Run's services.
func CloudRun() Format { return Format{CloudRunName, true} }

// Name implements [manifest.Format].
func (f Format) Name() string { return f.name }

// Mentions implements [manifest.Format].
func (f Format) Mentions(text []byte) bool {
	return bytes.Contains(text, []byte("serving.knative.dev"))
}

// ReadsObjects implements [manifest.ObjectFormat].
func (f Format) ReadsObjects() {}

// Recognizes implements [manifest.Format]. A service of Cloud Run has its annotations
// or labels.
func (f Format) Recognizes(root *yaml.Node) bool {
	doc := tree.Root(root)
	if doc.Field("kind").String() != "Service" || doc.Field("apiVersion").String() != "serving.knative.dev/v1" || !doc.Field("spec").Field("template").IsObject() {
		return false
	}
	return f.cloudRun == isCloudRun(doc)
}

// isCloudRun reports whether a service says something that only Cloud Run reads.
func isCloudRun(doc tree.Value) bool {
	template := doc.Field("spec").Field("template")
	for _, meta := range []tree.Value{doc.Field("metadata"), template.Field("metadata")} {
		for _, list := range []string{"annotations", "labels"} {
			for name := range meta.Field(list).Fields() {
				if strings.HasPrefix(name, "run.googleapis.com/") || strings.HasPrefix(name, "cloud.googleapis.com/") {
					return true
				}
			}
		}
	}
	return false
}

var _ manifest.ObjectFormat = Format{}
