package table

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/manifest"
)

func serviceColumns() []metav1.TableColumnDefinition {
	spec := corev1.ServiceSpec{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		nameColumn(),
		textColumn("Type", spec["type"]),
		textColumn("Cluster-IP", spec["clusterIP"]),
		textColumn("External-IP", spec["externalIPs"]),
		textColumn("Port(s)", spec["ports"]),
		ageColumn(),
		wide(textColumn("Selector", spec["selector"])),
	}
}

func serviceCells(s *corev1.Service, now time.Time) []any {
	clusterIP := s.Spec.ClusterIP
	if len(s.Spec.ClusterIPs) > 0 {
		clusterIP = s.Spec.ClusterIPs[0]
	}
	return []any{
		s.Name, string(s.Spec.Type), cmp.Or(clusterIP, none), externalIP(s), cmp.Or(servicePorts(s), none),
		age(s.CreationTimestamp.Time, now), labels.FormatLabels(s.Spec.Selector),
	}
}

// externalIP is where a Service can be reached from outside of a cluster.
func externalIP(s *corev1.Service) string {
	given := strings.Join(s.Spec.ExternalIPs, ",")
	switch s.Spec.Type {
	case corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort:
		return cmp.Or(given, none)
	case corev1.ServiceTypeLoadBalancer:
		return cmp.Or(strings.Join(slices.Concat(ingress(s), s.Spec.ExternalIPs), ","), "<pending>")
	case corev1.ServiceTypeExternalName:
		return s.Spec.ExternalName
	}
	return unknown
}

// ingress lists where the load balancer of a Service can be reached, sorted and each once.
func ingress(s *corev1.Service) []string {
	var list []string
	for _, i := range s.Status.LoadBalancer.Ingress {
		if at := cmp.Or(i.IP, i.Hostname); at != "" {
			list = append(list, at)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// servicePorts lists the ports of a Service, each with its protocol and, if that is another number,
// with the port that clients have to use on this machine: 8080:41013/TCP. On a cluster that is the
// node port.
func servicePorts(s *corev1.Service) string {
	var list []string
	for _, p := range s.Spec.Ports {
		text := strconv.Itoa(int(p.Port))
		if other := cmp.Or(servedPort(s, p.Port), p.NodePort); other > 0 {
			text = fmt.Sprintf("%d:%d", p.Port, other)
		}
		list = append(list, text+"/"+string(p.Protocol))
	}
	return strings.Join(list, ",")
}

// servedPort is the number at which the proxy serves a Service port, 0 if that is the declared one
// or nobody serves it.
func servedPort(s *corev1.Service, declared int32) int32 {
	at, err := netip.ParseAddrPort(s.Annotations[manifest.AnnotationAddress+strconv.Itoa(int(declared))])
	if err != nil || int32(at.Port()) == declared {
		return 0
	}
	return int32(at.Port())
}
