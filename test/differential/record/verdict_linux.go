package main

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/probity-run/probity/test/differential/recording"
	"github.com/probity-run/probity/test/differential/trace"
)

// verdict is what a play tells.
type verdict string

// The verdicts.
const (
	notPlayed verdict = "not played in the time there was"
	disturbed verdict = "the machine was too busy to tell"
	unlike    verdict = "unlike the recording"
	recorded  verdict = "recorded, or like the recording"
)

// judge says what a trace tells beside the folder's recording of it, if there is a folder.
func judge(t trace.Trace, folder string) (verdict, error) {
	if t.Disturbed() {
		return disturbed, nil
	}
	if folder == "" {
		return recorded, nil
	}
	reference, err := recording.Read(filepath.Join(folder, t.Scenario+".json"))
	if err != nil {
		return "", err
	}
	found := trace.Compare(reference, t)
	for _, difference := range found {
		slog.Info("Unlike the recording", "scenario", t.Scenario, "track", difference.Track, "what", difference.What)
	}
	if len(found) > 0 {
		return unlike, nil
	}
	return recorded, nil
}

// summary tells what became of all scenarios, and fails if one is unlike its recording or if
// nothing could be told.
func summary(verdicts map[string]verdict) (string, error) {
	ids := map[verdict][]string{}
	for id, v := range verdicts {
		ids[v] = append(ids[v], id)
	}
	lines := []string{fmt.Sprintf("%d of %d scenarios: %s", len(ids[recorded]), len(verdicts), recorded)}
	for _, v := range []verdict{disturbed, notPlayed} {
		if len(ids[v]) > 0 {
			slices.Sort(ids[v])
			lines = append(lines, fmt.Sprintf("%d: %s: %s", len(ids[v]), v, strings.Join(ids[v], " ")))
		}
	}
	text := strings.Join(lines, "\n")
	switch {
	case len(ids[unlike]) > 0:
		slices.Sort(ids[unlike])
		return text, fmt.Errorf("%s, twice, and alone: %s; to record them anew give the command these names, without -like", unlike, strings.Join(ids[unlike], " "))
	case len(ids[recorded]) == 0:
		return text, fmt.Errorf("%w: of no scenario could be told how it goes", errTooBusy)
	}
	return text, nil
}
