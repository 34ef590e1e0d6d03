package truefoundry

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/probity-run/probity/internal/formats/tree"
	"github.com/probity-run/probity/internal/manifest"
)

// What Kubernetes would refuse by its own words, and in its own field, is refused here by the
// field that has it, so that all who read the format agree.

// ownLabel begins the labels that only TrueFoundry's own pages read.
const ownLabel = "tfy_"

// isName reports whether a Service of Kubernetes may have that name.
func isName(name string) bool { return len(validation.IsDNS1123Label(name)) == 0 }

// isLongName reports whether most other objects of Kubernetes may have that name.
func isLongName(name string) bool { return len(validation.IsDNS1123Subdomain(name)) == 0 }

// longName judges the name of an object that is no Service, if a text says it.
func (c *checker) longName(v tree.Value, name, of string) {
	if _, isText := textOf(v); isText && !isLongName(name) {
		c.fail(v, "cannot use %s as the name of %s: it has lower case letters, digits, - and ., and begins and ends with a letter or a digit", v.Describe(), of)
	}
}

// names judges the names in a service.
func (c *checker) names(doc tree.Value) {
	for key, value := range doc.Field("labels").Fields() {
		text, ok := textOf(value)
		if !ok || strings.HasPrefix(key, ownLabel) {
			continue
		}
		if len(validation.IsQualifiedName(key)) > 0 {
			c.failAtName(value, "cannot use it as the name of a label: it has at most 63 letters, digits, -, _ and ., and may have a domain and / before them")
		}
		if len(validation.IsValidLabelValue(text)) > 0 {
			c.fail(value, "cannot use %s as a label: it has at most 63 letters, digits, -, _ and ., and begins and ends with a letter or a digit", value.Describe())
		}
	}
	for name, value := range doc.Field("env").Fields() {
		if value.Is() && len(validation.IsRelaxedEnvVarName(name)) > 0 {
			c.failAtName(value, "cannot use it as the name of a variable: it has characters of ASCII that can be printed, and no =")
		}
	}
	account := doc.Field("service_account")
	if name := plainText(account); name != "" {
		c.longName(account, name, "a service account")
	}
}

// workspace judges a workspace, which is a namespace.
func (c *checker) workspace(v tree.Value) {
	if name := namespaceOf(v); name != "" && !isName(name) {
		c.fail(v, "cannot use it: its workspace is the namespace, which has at most 63 lower case letters, digits and -, and begins and ends with a letter or a digit")
	}
}

// failAtName is fail for the name of a field.
func (c *checker) failAtName(v tree.Value, message string) {
	r := manifest.Remark{At: v.Name(), Object: c.ref, Field: v.Path, Message: message}
	c.Errors = append(c.Errors, r)
}
