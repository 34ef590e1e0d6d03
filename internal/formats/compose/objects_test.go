package compose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// podOf is the spec of the Pods that the service a becomes, and set what is said of the file.
func podOf(t *testing.T, service string) (pod corev1.PodSpec, set *manifest.Set) {
	t.Helper()
	set, err := load("services: {a: {" + service + "}}\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range set.Objects {
		if d, ok := o.Resource.(*appsv1.Deployment); ok {
			return d.Spec.Template.Spec, set
		}
	}
	t.Fatal("no Deployment")
	return pod, set
}

// says reports whether there is a note of a field that begins so.
func says(notes []manifest.Note, field, text string) bool {
	return slices.ContainsFunc(notes, func(n manifest.Note) bool { return n.Field == field && strings.HasPrefix(n.Message, text) })
}

// TestEntrypoint: an entrypoint that is empty takes that of the image away.
func TestEntrypoint(t *testing.T) {
	for service, want := range map[string]struct {
		command, args []string
		different     bool
	}{
		`image: x, entrypoint: [], command: [a, b]`:   {command: []string{"a", "b"}},
		`image: x, entrypoint: "", command: a b`:      {command: []string{"a", "b"}},
		`image: x, entrypoint: null, command: [a]`:    {args: []string{"a"}},
		`image: x, entrypoint: [run], command: [a]`:   {command: []string{"run"}, args: []string{"a"}},
		`image: x, entrypoint: []`:                    {different: true},
		`image: x, entrypoint: [], command: []`:       {different: true},
		`build: ./site, entrypoint: [], command: [a]`: {command: []string{"a"}},
		`build: ./site, command: [a]`:                 {args: []string{"a"}},
	} {
		pod, set := podOf(t, service)
		c := pod.Containers[0]
		if diff := cmp.Diff([][]string{want.command, want.args}, [][]string{c.Command, c.Args}); diff != "" {
			t.Errorf("%s: command and args (-want +got):\n%s", service, diff)
		}
		if got := says(set.Differences, "entrypoint", "Docker would run the CMD of the image without its ENTRYPOINT"); got != want.different {
			t.Errorf("%s: it is said: %v", service, set.Differences)
		}
	}
}

// TestStopSignal: a signal has the name that Kubernetes takes, in a Pod that says its system.
func TestStopSignal(t *testing.T) {
	for written, want := range map[string]corev1.Signal{
		"SIGUSR1": corev1.SIGUSR1, "sigusr1": corev1.SIGUSR1, "Usr1": corev1.SIGUSR1, "9": corev1.SIGKILL, `"1"`: corev1.SIGHUP, "31": corev1.SIGSYS, "IOT": corev1.SIGABRT,
		"cld": corev1.SIGCHLD, "34": corev1.SIGRTMIN, "RTMIN+3": corev1.SIGRTMINPLUS3, "49": corev1.SIGRTMINPLUS15, "50": corev1.SIGRTMAXMINUS14, "rtmax-1": corev1.SIGRTMAXMINUS1, "64": corev1.SIGRTMAX,
	} {
		pod, set := podOf(t, "image: x, stop_signal: "+written)
		if l := pod.Containers[0].Lifecycle; l == nil || l.StopSignal == nil || *l.StopSignal != want {
			t.Errorf("%s: lifecycle %v, want %s", written, l, want)
		}
		if pod.OS == nil || pod.OS.Name != corev1.Linux {
			t.Errorf("%s: os %v", written, pod.OS)
		}
		if !says(set.Differences, "stop_signal", "Docker would send "+string(want)+", ") {
			t.Errorf("%s: it is not said: %v", written, set.Differences)
		}
	}
	if pod, _ := podOf(t, `image: x, stop_signal: ""`); pod.OS != nil || pod.Containers[0].Lifecycle != nil {
		t.Errorf("without a signal: %v, %v", pod.OS, pod.Containers[0].Lifecycle)
	}
}

// TestPublishedTwice: a published port whose number is that of another port of the container is
// lost, which is said.
func TestPublishedTwice(t *testing.T) {
	for ports, want := range map[string]string{
		`["8080:80", "9090:8080"]`:             "Docker would lead port 8080 of the machine to 80 of the container, Kubernetes will lead it to 8080: ",
		`["9090:8080", "8080:80"]`:             "Docker would lead port 8080 of the machine to 80 of the container, Kubernetes will lead it to 8080: ",
		`["8080:80"], expose: [8080]`:          "Docker would lead port 8080 of the machine to 80 of the container, Kubernetes will lead it to 8080: ",
		`["127.0.0.1:90:80", "90:81"]`:         "Docker would lead port 90 of the machine to 81 of the container, Kubernetes will lead it to 80: ",
		`["8080:8080", "9090:8080"]`:           "",
		`["8080:80", "8080:80"]`:               "",
		`["8080:80", "9090:8080/udp"]`:         "",
		`["127.0.0.1:80:80", "0.0.0.0:80:80"]`: "",
	} {
		_, set := podOf(t, "image: x, ports: "+ports)
		said := says(set.Differences, "ports", "Docker would lead port")
		if said != (want != "") || said && !says(set.Differences, "ports", want) {
			t.Errorf("%s: want %q, it is said: %v", ports, want, set.Differences)
		}
	}
}
