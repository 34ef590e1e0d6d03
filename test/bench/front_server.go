//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strconv"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/system"
)

// serveFront is a system with a Service whose replicas are somebody else's, until the process ends.
// Its state is in the working folder.
func serveFront(port int, replicas []string) error {
	runtime.GOMAXPROCS(1)
	s, err := system.New(system.Options{StateDir: "state"})
	if err != nil {
		return err
	}
	// without a selector, its EndpointSlices are left to whoever writes them
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "bench"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: int32(port), Protocol: corev1.ProtocolTCP}}},
	}
	if _, err := registry.Create(s.Registry(), service); err != nil {
		return err
	}
	for i, address := range replicas {
		if _, err := registry.Create(s.Registry(), sliceOf(i, address)); err != nil {
			return err
		}
	}
	if err := s.Start(context.Background()); err != nil {
		return err
	}
	return s.Wait()
}

func sliceOf(i int, address string) *discoveryv1.EndpointSlice {
	_, text, _ := net.SplitHostPort(address)
	number, _ := strconv.ParseInt(text, 10, 32) // it comes from a listener
	name := fmt.Sprint("bench-", i)
	return &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: "bench"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(number)), Protocol: new(corev1.ProtocolTCP)}},
		Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{"127.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: new(true), Serving: new(true), Terminating: new(false)},
			// without a target: they are no Pods of this Probity, which would have to listen there
		}},
	}
}

// serveBare runs a reverse proxy of the standard library and nothing else: round robin over the
// replicas, with enough kept connections for all clients.
func serveBare(port int, replicas []string) error {
	runtime.GOMAXPROCS(1)
	var targets []*url.URL
	for _, address := range replicas {
		targets = append(targets, &url.URL{Scheme: "http", Host: address})
	}
	var turn atomic.Uint64
	handler := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(targets[turn.Add(1)%uint64(len(targets))])
			r.SetXForwarded()
		},
		Transport: &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 256, DisableCompression: true},
	}
	return http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", port), handler)
}

// addresses decodes the list of replicas on a command line.
func addresses(list string) (all []string, err error) {
	err = json.Unmarshal([]byte(list), &all)
	return all, err
}
