package simulated

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/test/differential/cluster"
	"github.com/probity-run/probity/test/differential/scenario"
)

// playerPath stands for the player, which no simulation starts.
const playerPath = "/player"

// command is the line of a manifest that every container has, and nothing else.
var command = regexp.MustCompile(`(?m)^( +)command: \[`)

// dress reads a scenario's manifest: PLAYER gets a path, and every container an image.
func dress(text string) ([]manifest.Object, error) {
	text = command.ReplaceAllString(text, "${1}image: "+cluster.Image+"\n${1}imagePullPolicy: Never\n${1}command: [")
	set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(strings.ReplaceAll(text, "PLAYER", playerPath))}, "-")
	if err != nil {
		return nil, err
	}
	return set.Objects, nil
}

func dressSteps(steps []scenario.Step) ([]simulate.Step, error) {
	var dressed []simulate.Step
	for _, s := range steps {
		step := simulate.Step{At: s.At, Delete: s.Delete, Pod: s.Pod}
		if s.Grace != nil {
			step.Grace = new(time.Duration(*s.Grace) * time.Second)
		}
		if s.Condition != "" {
			step.Condition = corev1.PodCondition{Type: corev1.PodConditionType(s.Condition), Status: corev1.ConditionStatus(s.Status)}
		}
		if s.Apply != "" {
			objects, err := dress(s.Apply)
			if err != nil {
				return nil, err
			}
			if len(objects) != 1 {
				return nil, fmt.Errorf("a step applies %d objects, and can apply one Deployment", len(objects))
			}
			step.Apply = objects[0].Resource
		}
		dressed = append(dressed, step)
	}
	return dressed, nil
}
