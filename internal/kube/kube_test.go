package kube

import (
	"errors"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func meta(namespace, name, uid string, owner ...metav1.OwnerReference) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(uid), OwnerReferences: owner, Labels: map[string]string{"app": name[:3]}}
}

func owner(kind, name, uid string) metav1.OwnerReference {
	return metav1.OwnerReference{Kind: kind, Name: name, UID: types.UID(uid), Controller: new(true)}
}

// shop is a Deployment with a ReplicaSet and two Pods, a Service of the same name, a Pod of its
// own, and in another namespace a Pod of the same name.
func shop() *Snapshot {
	return &Snapshot{
		Services:    []corev1.Service{{ObjectMeta: meta("default", "web", "s"), Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}}}},
		Deployments: []appsv1.Deployment{{ObjectMeta: meta("default", "web", "d")}},
		ReplicaSets: []appsv1.ReplicaSet{{ObjectMeta: meta("default", "web-1", "r", owner("Deployment", "web", "d"))}},
		Pods: []corev1.Pod{
			{ObjectMeta: meta("default", "web-1-b", "b", owner("ReplicaSet", "web-1", "r"))},
			{ObjectMeta: meta("default", "web-1-a", "a", owner("ReplicaSet", "web-1", "r"))},
			{ObjectMeta: meta("default", "single", "1")},
			{ObjectMeta: meta("eu", "single", "2")},
			{ObjectMeta: meta("eu", "basket", "3")},
		},
	}
}

func TestFind(t *testing.T) {
	tests := map[string]struct {
		name  string
		kinds []Kind
		want  string // the object, or a part of the error
		fails bool
	}{
		"a workload before its Service": {name: "web", want: "deployment/web"},
		"by kind":                       {name: "svc/web", want: "service/web"},
		"by a kind with its group":      {name: "deployments.apps/web", want: "deployment/web"},
		"of another namespace":          {name: "basket", want: "eu/pod/basket"},
		"with its namespace":            {name: "eu/pod/single", want: "eu/pod/single"},
		"a set below a workload":        {name: "web-1", want: "replicaset/web-1"},
		"in two namespaces":             {name: "single", want: `"single" is in several namespaces`, fails: true},
		"a slip":                        {name: "wbe", want: `there is no Service, workload or Pod "wbe", did you mean deployment/web?`, fails: true},
		"a beginning":                   {name: "bask", want: "did you mean eu/pod/basket?", fails: true},
		"a wrong kind":                  {name: "pods/web", want: "did you mean pod/web-1-a?", fails: true},
		"no kind":                       {name: "deploymet/web", want: `there is no kind "deploymet", did you mean deployment?`, fails: true},
		"kinds that are not asked for":  {name: "single", kinds: []Kind{Deployments}, want: `there is no deployment "single"; there are deployment/web`, fails: true},
		"nothing like it":               {name: "xyz", want: "; there are deployment/web, eu/pod/basket, ", fails: true},
		"too many parts":                {name: "a/b/c/d", want: "is no name", fails: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o, err := shop().Find(test.name, test.kinds...)
			if test.fails {
				if _, ok := errors.AsType[*NotFoundError](err); !ok || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want %q", err, test.want)
				}
				return
			}
			if err != nil || RefTo(o).String() != test.want {
				t.Errorf("found %v, %v, want %s", o, err, test.want)
			}
		})
	}
}

func TestPodsOf(t *testing.T) {
	s := shop()
	for name, want := range map[string]string{
		"deployment/web": "web-1-a web-1-b", "service/web": "web-1-a web-1-b", "replicaset/web-1": "web-1-a web-1-b", "eu/pod/single": "single",
	} {
		o, err := s.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, pod := range s.PodsOf(o) {
			names = append(names, pod.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	if o := s.OwnerOf(&s.Pods[0]); o == nil || RefTo(o).String() != "deployment/web" {
		t.Errorf("the owner is %v, want the Deployment", o)
	}
	if o := s.OwnerOf(&s.Pods[2]); o != nil {
		t.Errorf("a Pod of its own has the owner %v", o)
	}
}

func TestParseRef(t *testing.T) {
	for name, want := range map[string]string{
		"cm/later": "configmap/later", "eu/configmap/later": "eu/configmap/later", "namespace/eu": "namespace/eu", "later": "!write the kind",
	} {
		at, err := ParseRef(name, "")
		if text, fails := strings.CutPrefix(want, "!"); fails {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: error %v, want %q", name, err, text)
			}
		} else if err != nil || at.String() != want {
			t.Errorf("%s: %v, %v, want %s", name, at, err, want)
		}
	}
}

func TestCondition(t *testing.T) {
	object := map[string]any{
		"metadata": map[string]any{"generation": 2.0},
		"status": map[string]any{
			"phase": "Running", "readyReplicas": 3.0,
			"conditions": []any{
				map[string]any{"type": "Ready", "status": "True"},
				map[string]any{"type": "Available", "status": "False"},
				map[string]any{"type": "Old", "status": "True", "observedGeneration": 1.0},
			},
		},
	}
	for text, want := range map[string]bool{
		"condition=Ready": true, "condition=ready=TRUE": true, "condition=Available": false, "condition=Available=false": true,
		"condition=Other": false, "condition=Old": false, "delete": false, "create": true,
		"jsonpath={.status.phase}=Running": true, "jsonpath={.status.phase}=Failed": false, "jsonpath={.status.readyReplicas}=3": true,
		"jsonpath={.status.conditions[1].type}=Available": true, "jsonpath={.status.podIP}": false, "jsonpath={.status.phase}": true,
		"jsonpath={.status.conditions[7].type}": false,
	} {
		c, err := ParseCondition(text)
		if err != nil || c.Met(object) != want {
			t.Errorf("%s: met %v, %v, want %v", text, c.Met(object), err, want)
		}
		if got := c.Met(nil); got != c.Delete {
			t.Errorf("%s of nothing: met %v", text, got)
		}
	}
	for _, text := range []string{"", "ready", "condition=", "jsonpath=", "jsonpath={status}", "jsonpath={.a}b", "jsonpath={.a[x]}=1", "jsonpath={.a[1}=1", "jsonpath={.}"} {
		if c, err := ParseCondition(text); err == nil {
			t.Errorf("%q is taken for %+v", text, c)
		}
	}
}

// FuzzParse: whatever somebody writes as a name or a condition, nothing panics, and what is taken
// can be asked for.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"web", "svc/web", "eu/pods.v1/web", "condition=Ready=false", "jsonpath={.a[0].b}=c", "a/b/c/d", "deployments.apps/x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if at, err := ParseRef(text, ""); err == nil && (at.Kind == Kind{} || !strings.HasPrefix(at.path(), "/api")) {
			t.Errorf("%q is taken for %+v", text, at)
		}
		if c, err := ParseCondition(text); err == nil {
			c.Met(map[string]any{"status": []any{1.0, map[string]any{}}})
		}
		_, _ = shop().Find(text)
	})
}
