package dashboard

import "github.com/probity-run/probity/internal/diagnosis"

// look of a state: the form carries the meaning, the colour only helps.
type stateLook struct {
	class string
	shape func() item
}

func lookOf(s diagnosis.State) stateLook {
	switch s {
	case diagnosis.Ready, diagnosis.Complete:
		return stateLook{"ok", shapeReady}
	case diagnosis.Starting:
		return stateLook{"wait", shapeStarting}
	case diagnosis.BackOff:
		return stateLook{"idle", shapeBackOff}
	case diagnosis.Failed:
		return stateLook{"bad", shapeFailed}
	case diagnosis.Stopping:
		return stateLook{"stop", shapeStopping}
	case diagnosis.Out:
		return stateLook{"warn", shapeOut}
	case diagnosis.Stopped:
		return stateLook{"idle", shapeStopping}
	}
	return stateLook{"warn", shapeNotReady}
}

// stateMark is the form of a state, for beside its word.
func stateMark(s diagnosis.State) item { return lookOf(s).shape() }

func shape(items ...item) item {
	return e("svg.shape", append([]item{at("viewBox", "0 0 14 14"), at("aria-hidden", "true")}, items...)...)
}

func shapeReady() item {
	return shape(e("circle.f-ok", at("cx", "7"), at("cy", "7"), at("r", "6")), e("path.tick", at("d", "M4 7.2 6.2 9.4 10.2 4.9")))
}

// ring is the outline of a disc, which several forms share.
func ring(class string, more ...item) item {
	return e("circle.l-"+class, append([]item{at("cx", "7"), at("cy", "7"), at("r", "5.2")}, more...)...)
}

func shapeNotReady() item {
	return shape(ring("warn"), e("path.f-warn", at("d", "M7 1.8a5.2 5.2 0 0 0 0 10.4z")))
}

func shapeStarting() item {
	return shape(ring("wait", at("stroke-dasharray", "3 2.4")))
}

func shapeBackOff() item {
	return shape(e("rect.l-idle", at("x", "1.5"), at("y", "1.5"), at("width", "11"), at("height", "11"), at("rx", "1.5")), e("path.l-idle", at("d", "M7 4v3.2h2.6")))
}

func shapeFailed() item {
	return shape(e("path.f-bad", at("d", "M4.5 1h5L13 4.5v5L9.5 13h-5L1 9.5v-5z")), e("path.tick", at("d", "M4.8 4.8l4.4 4.4M9.2 4.8 4.8 9.2")))
}

func shapeStopping() item { return shape(e("path.f-stop", at("d", "M1 2.5h12L7 12.5z"))) }

func shapeOut() item {
	return shape(ring("warn"), e("path.l-warn", at("d", "M4 7h6")))
}

func shapeWarning() item {
	return shape(e("path.f-warn", at("d", "M7 1 13.4 12.6H.6z")), e("path.tick", at("d", "M7 5v3.6M7 10v1.4")))
}

// readyShape is the form for so many of so many.
func readyShape(ready, total int) item {
	switch {
	case total > 0 && ready == total:
		return shapeReady()
	case total == 0:
		return shapeBackOff()
	}
	return shapeNotReady()
}
