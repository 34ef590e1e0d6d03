package dashboard

import (
	"github.com/probity-run/probity/internal/dashboard/shape"
	"github.com/probity-run/probity/internal/diagnosis"
)

// look of a state: the form carries the meaning, the colour only helps.
type stateLook struct {
	class string
	shape func() item
}

func lookOf(s diagnosis.State) stateLook {
	switch s {
	case diagnosis.Ready, diagnosis.Complete:
		return stateLook{"ok", shape.Ready}
	case diagnosis.Starting:
		return stateLook{"wait", shape.Starting}
	case diagnosis.BackOff:
		return stateLook{"idle", shape.BackOff}
	case diagnosis.Failed:
		return stateLook{"bad", shape.Failed}
	case diagnosis.Stopping:
		return stateLook{"stop", shape.Stopping}
	case diagnosis.Out:
		return stateLook{"warn", shape.Out}
	case diagnosis.Stopped:
		return stateLook{"idle", shape.Stopping}
	}
	return stateLook{"warn", shape.NotReady}
}

// stateMark is the form of a state, for beside its word.
func stateMark(s diagnosis.State) item { return lookOf(s).shape() }

// readyShape is the form for so many of so many.
func readyShape(ready, total int) item {
	switch {
	case total > 0 && ready == total:
		return shape.Ready()
	case total == 0:
		return shape.BackOff()
	}
	return shape.NotReady()
}
