package terminal

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/workload"
)

// serviceTable is a header, and a line per Service port: where it is served, and how many of its
// Pods are ready.
func (p snapshot) serviceTable(width int) []string {
	rows := [][]cell{header("SERVICE", "ADDRESS", "READY")}
	for _, service := range p.services {
		for _, port := range service.Spec.Ports {
			address := service.Annotations[manifest.AnnotationAddress+strconv.Itoa(int(port.Port))]
			if address == "" {
				continue // it has none: a headless Service, or a port that is not TCP
			}
			name := service.Name
			if len(service.Spec.Ports) > 1 {
				name += ":" + port.Name
			}
			rows = append(rows, []cell{{name, ""}, {printable.Line(address), ""}, p.readyCell(service, port.Name)})
		}
	}
	if len(rows) == 1 {
		return nil
	}
	widths := columnWidths(rows)
	lines := []string{""}
	for _, row := range rows {
		lines = append(lines, joinCells(row, widths, width))
	}
	return lines
}

// readyCell counts the endpoints of a port that get requests, of all there are.
func (p snapshot) readyCell(service *corev1.Service, port string) cell {
	var own []*discoveryv1.EndpointSlice
	for _, slice := range p.slices {
		if slice.Namespace == service.Namespace && slice.Labels[discoveryv1.LabelServiceName] == service.Name {
			own = append(own, slice)
		}
	}
	all := workload.EndpointsOf(own, port)
	ready, _ := workload.Tiers(all)
	color := green
	if len(ready) < len(all) || len(ready) == 0 {
		color = yellow
	}
	return cell{fmt.Sprintf("%d/%d", len(ready), len(all)), color}
}
