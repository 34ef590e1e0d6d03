package apiserver

import "net/http"

// DrillPath is where a drill of the run is asked for: see [Options.Drill].
const DrillPath = "/apis/probity.run/v1/drills"

// serveDrill has the run drilled for a client. It takes one of the places for streams, as it goes
// on for minutes, and is waited for as those are.
func (s *Server) serveDrill(w http.ResponseWriter, r *http.Request) bool {
	if s.opts.Drill == nil || r.URL.Path != DrillPath {
		return false
	}
	c := &call{server: s, w: w, r: r, format: s.defaultFormat()}
	if r.Method != http.MethodPost {
		c.fail(methodNotSupported())
		return true
	}
	release, ok := c.acquireStream()
	if !ok {
		return true // it was answered
	}
	defer release()
	s.opts.Drill.ServeHTTP(w, r)
	return true
}
