package dashboard

import "net/http"

// routes says what is answered where. Nobody gets here without the cookie (security.go).
func (s *Server) routes() {
	home := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ui/pods", http.StatusSeeOther) }
	s.mux.HandleFunc("GET /{$}", home)
	s.mux.HandleFunc("GET /ui/{$}", home)
	s.mux.HandleFunc("GET /ui/pods", s.podsPage)
	s.mux.HandleFunc("GET /ui/services", s.servicesPage)
	s.mux.HandleFunc("GET /ui/pods/{namespace}/{name}", s.podPage)
	s.mux.HandleFunc("GET /ui/pods/{namespace}/{name}/figures", s.podFigures)
	s.mux.HandleFunc("POST /ui/pods/{namespace}/{name}/secret", s.showSecret)
	s.mux.HandleFunc("GET /ui/pods/{namespace}/{name}/ask", s.ask)
	s.mux.HandleFunc("POST /ui/pods/{namespace}/{name}/do", s.do)
	s.mux.HandleFunc("GET /ui/health", s.healthList)
	s.mux.HandleFunc("GET /ui/workloads/{kind}/{namespace}/{name}/health", s.healthPage)
	s.mux.HandleFunc("GET /ui/workloads/{kind}/{namespace}/{name}/rollout", s.rollout)
	s.mux.HandleFunc("GET /ui/new", s.newPage)
	s.mux.HandleFunc("POST /ui/draft", s.draftAnswer)
	s.mux.HandleFunc("POST /ui/apply", s.apply)
	s.mux.HandleFunc("POST /ui/write", s.writeFile)
	s.mux.HandleFunc("GET /ui/simulate", s.simulatePage)
	s.mux.HandleFunc("GET /ui/drills", s.drillsPage)
	s.mux.HandleFunc("GET /ui/drills/{name}", s.drillPage)
	s.mux.HandleFunc("POST "+reportPath, s.report)
	s.mux.HandleFunc("GET /ui/find", s.find)
	s.mux.HandleFunc("GET /ui/alive", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	s.mux.HandleFunc("GET /ui/logs", s.logsPage)
	s.mux.HandleFunc("GET /ui/logs/lines", s.logLines)
	s.mux.HandleFunc("GET /ui/logs/stream", s.logStream)
	s.mux.HandleFunc("GET /ui/logs/download", s.download)
	s.mux.HandleFunc("GET /ui/events", s.eventsPage)
	s.mux.HandleFunc("GET /ui/stream", s.stream)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.notFound(w, r, "") })
}
