package proxy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

func sliceOf(port int32, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		Endpoints: endpoints,
		Ports: []discoveryv1.EndpointPort{
			{Name: new("http"), Port: new(port), Protocol: new(corev1.ProtocolTCP)}, {Name: new("dns"), Port: new(int32(53)), Protocol: new(corev1.ProtocolUDP)},
		},
	}
}

func TestEndpointsOf(t *testing.T) {
	end := func(pod string, ready, serving, terminating *bool) discoveryv1.Endpoint {
		e := at(pod, "127.0.0.1:0")
		e.Conditions = discoveryv1.EndpointConditions{Ready: ready, Serving: serving, Terminating: terminating}
		return e
	}
	yes, no := new(true), new(false)
	tests := map[string]struct {
		slices             []*discoveryv1.EndpointSlice
		ready, terminating []string
	}{
		"R198 ready":                   {[]*discoveryv1.EndpointSlice{sliceOf(2, end("b", yes, yes, no)), sliceOf(1, end("a", yes, yes, no))}, []string{"a 127.0.0.1:1", "b 127.0.0.1:2"}, nil},
		"R198 serving and terminating": {[]*discoveryv1.EndpointSlice{sliceOf(1, end("a", no, yes, yes))}, nil, []string{"a 127.0.0.1:1"}},
		"R198 serving only, never":     {[]*discoveryv1.EndpointSlice{sliceOf(1, end("a", no, yes, no))}, nil, nil},
		"terminating, not serving":     {[]*discoveryv1.EndpointSlice{sliceOf(1, end("a", no, no, yes))}, nil, nil},
		"R197 nil":                     {[]*discoveryv1.EndpointSlice{sliceOf(1, end("a", nil, nil, nil))}, []string{"a 127.0.0.1:1"}, nil},
		"R197 nil serving":             {[]*discoveryv1.EndpointSlice{sliceOf(1, end("a", no, nil, yes))}, nil, []string{"a 127.0.0.1:1"}},
		"R195 published not ready":     {[]*discoveryv1.EndpointSlice{sliceOf(1, end("a", yes, no, yes))}, []string{"a 127.0.0.1:1"}, nil},
		"R203 listed twice":            {[]*discoveryv1.EndpointSlice{sliceOf(1, end("old", no, yes, yes)), sliceOf(1, end("new", yes, yes, no))}, []string{"new 127.0.0.1:1"}, nil},
		"R203 listed twice, reversed":  {[]*discoveryv1.EndpointSlice{sliceOf(1, end("new", yes, yes, no)), sliceOf(1, end("old", no, yes, yes))}, []string{"new 127.0.0.1:1"}, nil},
		"no such port":                 {[]*discoveryv1.EndpointSlice{{Endpoints: []discoveryv1.Endpoint{end("a", yes, yes, no)}}}, nil, nil},
	}
	texts := func(list []endpointID) (all []string) {
		for _, id := range list {
			all = append(all, id.name.Name+" "+id.address)
		}
		return all
	}
	for name, test := range tests {
		ready, terminating := endpointsOf(test.slices, "http")
		if diff := cmp.Diff([][]string{test.ready, test.terminating}, [][]string{texts(ready), texts(terminating)}); diff != "" {
			t.Errorf("%s: want, got\n%s", name, diff)
		}
	}
	if ready, _ := endpointsOf([]*discoveryv1.EndpointSlice{sliceOf(1, end("a", yes, yes, no))}, "dns"); ready != nil {
		t.Errorf("a port of UDP has TCP endpoints: %v", ready)
	}
}
