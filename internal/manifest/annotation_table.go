package manifest

import (
	"slices"
	"strings"
)

// Place is where an annotation stands.
type Place string

// The places, in the order of the reference. Their values are its headings.
const (
	PlaceTemplate Place = "On a Pod or a Pod template"
	PlacePod      Place = "On a Pod that runs"
	PlaceService  Place = "On a Service"
	PlaceObject   Place = "On any object"
	PlaceWritten  Place = "Written by Probity"
)

// Places lists them.
func Places() []Place {
	return []Place{PlaceTemplate, PlacePod, PlaceService, PlaceObject, PlaceWritten}
}

// Annotation is what people and editors are told of one of Probity's annotations.
type Annotation struct {
	Place Place
	// Key is its name. What is in capitals at its end stands for a name: see [Annotation.Prefix].
	Key string
	// Value is how a value is written, in Markdown; of PlaceWritten the kind of object that has it.
	Value string
	// Pattern is a regular expression, as Go and JavaScript read it, that each value matches; empty
	// if any will do.
	Pattern string
	// Text says what it does, in plain words. Page is a page of docs/ that says more, or "".
	Text, Page string
}

// durationPattern is what time.ParseDuration takes that is not negative.
const durationPattern = `^(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+)$`

// wordsPattern is a text that is not blank.
const wordsPattern = `\S`

// Annotations is the table of Probity's annotations, in the order of the reference.
func Annotations() []Annotation {
	return []Annotation{
		{PlaceTemplate, AnnotationCommand + "CONTAINER", "a command line, split as a shell would", wordsPattern, "the program that stands for the container's image", ""},
		{PlaceTemplate, AnnotationDirectory + "CONTAINER", "a folder, from the manifest's", "", "where that program starts", ""},
		{PlaceTemplate, AnnotationAfter, "`db=healthy,migrate=completed,cache=started`", afterPattern, "what has to come before the Pod starts", ""},
		{PlaceTemplate, AnnotationPorts, "`fixed`", only(PortsFixed), "the program listens on the declared ports and on no others", ""},
		{PlaceTemplate, AnnotationDrain, "a time: `5s`", durationPattern, "how long requests in flight are waited for before the stop signal", ""},
		{PlaceTemplate, AnnotationDependency + "NAME", "`owned`", only(DependencyOwned),
			"the service cannot work without it: `probity drill` takes it as intended that no replica is ready while it is down", ""},
		{PlaceTemplate, AnnotationDeadlock + "CONTAINER", "a shell's command: `kill -USR1 $PID`", wordsPattern, "how `probity drill` has that container's program hang by itself", ""},
		{PlaceTemplate, AnnotationNames, "`off`", only(NamesOff), "the Pod sees the hosts file and the host name of this machine", ""},
		{PlaceTemplate, AnnotationRotation, "`out`", only(RotationOut), "no new requests, while its probes go on", ""},
		{PlaceTemplate, AnnotationRestartedAt, "any, when it changes", "", "the containers of a Pod that runs are restarted in place; in a template it is a rollout, as any change there", ""},

		{PlacePod, AnnotationFault, "`slow=2s`, `refuse`, `unready`", faultPattern,
			"a fault between the Pod and who connects to it, until it is removed; refused in a template", "how-to/break-a-pod.md"},

		{PlaceService, AnnotationHold, "a time: `10s`", durationPattern, "how long requests wait while nothing is ready", ""},

		{PlaceObject, AnnotationIgnore + "RULE", "the reason", wordsPattern, "`probity check` accepts a finding of that rule", "how-to/check-a-manifest.md"},
		{PlaceObject, annotationPrefix + "keep", "any", "", "`probity deploy --prune` leaves it", ""},
		{PlaceObject, annotationPrefix + "before", "`\"true\"`, on a Job", "^(true|false)$", "`probity deploy` waits for it before the workloads", ""},

		{PlaceWritten, AnnotationManifest, "everything of a file", "", "the file that it comes from", ""},
		{PlaceWritten, annotationPrefix + "pid.CONTAINER", "Pods", "", "the process of the running container", ""},
		{PlaceWritten, annotationPrefix + "stopping.CONTAINER", "Pods", "", "that it is being stopped", ""},
		{PlaceWritten, annotationPrefix + "kill-at.CONTAINER", "Pods", "", "when SIGKILL follows", ""},
		{PlaceWritten, AnnotationPrivatePorts + "CONTAINER", "Pods", "", "declared and private ports: `8080:41013`", ""},
		{PlaceWritten, AnnotationListening, "Pods", "", "declared ports whose program was seen to listen on the private one", ""},
		{PlaceWritten, AnnotationBound, "Pods", "", "declared ports whose program was seen to listen on themselves, and at which address", ""},
		{PlaceWritten, AnnotationAddress + "PORT", "Services", "", "where that port is served", ""},
		{PlaceWritten, AnnotationUnnamed, "Services", "", "why their names lead nowhere", ""},
		{PlaceWritten, annotationPrefix + "config", "Pod templates", "", "a hash of what they read, with `probity deploy --restart-on-config`", ""},
	}
}

// only is the pattern of one value.
func only(value string) string { return "^" + value + "$" }

const (
	// afterPattern is what [ParseAfter] takes.
	afterPattern = `^\s*[^,=\s][^,=]*(=(started|healthy|completed))?\s*(,\s*[^,=\s][^,=]*(=(started|healthy|completed))?\s*)*$`
	// faultPattern is what [ParseFault] takes, bounds left out.
	faultPattern = `^(refuse|unready|slow=(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+)$`
)

// Prefix is what the keys begin with that an annotation has for each container, rule or port; ok is
// false for one with a single key.
func (a Annotation) Prefix() (prefix string, ok bool) {
	end := len(a.Key)
	for end > 0 && a.Key[end-1] >= 'A' && a.Key[end-1] <= 'Z' {
		end--
	}
	return a.Key[:end], end < len(a.Key)
}

// belongsAnywhere reports whether an annotation may stand on any object.
func belongsAnywhere(key string) bool {
	return slices.ContainsFunc(Annotations(), func(a Annotation) bool {
		prefix, many := a.Prefix()
		return a.Place == PlaceObject && (key == a.Key || many && strings.HasPrefix(key, prefix))
	})
}
