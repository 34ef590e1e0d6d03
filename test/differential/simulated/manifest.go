package simulated

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/test/differential/cluster"
	"github.com/probity-run/probity/test/differential/scenario"
)

// playerPath stands for the player, which no simulation starts.
const playerPath = "/player"

// command is the line of a manifest that every container has, and nothing else.
var command = regexp.MustCompile(`(?m)^( +)command: \[`)

// readManifest reads a scenario's manifest: PLAYER gets a path, and every container an image.
func readManifest(text string) ([]manifest.Object, error) {
	text = command.ReplaceAllString(text, "${1}image: "+cluster.Image+"\n${1}imagePullPolicy: Never\n${1}command: [")
	set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(strings.ReplaceAll(text, "PLAYER", playerPath))}, "-")
	if err != nil {
		return nil, err
	}
	return set.Objects, nil
}

// readSteps are the requests that the steps of a scenario stand for.
func readSteps(steps []scenario.Step) ([]simulate.Request, error) {
	var requests []simulate.Request
	for _, s := range steps {
		request := simulate.Request{At: s.At, Pod: cmp.Or(s.Delete, s.Pod)}
		if s.Delete != "" {
			request.Delete = &metav1.DeleteOptions{GracePeriodSeconds: s.Grace}
		}
		if s.Condition != "" {
			request.Condition = &corev1.PodCondition{Type: corev1.PodConditionType(s.Condition), Status: corev1.ConditionStatus(s.Status)}
		}
		if s.Apply != "" {
			objects, err := readManifest(s.Apply)
			if err != nil {
				return nil, err
			}
			if len(objects) != 1 {
				return nil, fmt.Errorf("a step applies %d objects, and can apply one Deployment", len(objects))
			}
			deployment, ok := objects[0].Resource.(*appsv1.Deployment)
			if !ok {
				return nil, fmt.Errorf("a step applies a %T, and can apply one Deployment", objects[0].Resource)
			}
			request.Apply = deployment
		}
		requests = append(requests, request)
	}
	return requests, nil
}
