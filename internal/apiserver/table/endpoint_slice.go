package table

import (
	"strconv"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func endpointSliceColumns() []metav1.TableColumnDefinition {
	slice := discoveryv1.EndpointSlice{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		nameColumn(),
		textColumn("AddressType", slice["addressType"]),
		textColumn("Ports", slice["ports"]),
		textColumn("Endpoints", slice["endpoints"]),
		ageColumn(),
	}
}

func endpointSliceCells(s *discoveryv1.EndpointSlice, now time.Time) []any {
	var ports, addresses []string
	for _, p := range s.Ports {
		ports = append(ports, endpointPort(&p))
	}
	for _, e := range s.Endpoints {
		addresses = append(addresses, e.Addresses...)
	}
	return []any{s.Name, string(s.AddressType), listed(ports), listed(addresses), age(s.CreationTimestamp.Time, now)}
}

// endpointPort is the number of a port, or * for all of them.
func endpointPort(p *discoveryv1.EndpointPort) string {
	switch {
	case p.Port != nil:
		return strconv.Itoa(int(*p.Port))
	case p.Name != nil:
		return *p.Name
	}
	return "*"
}
