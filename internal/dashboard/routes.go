package dashboard

import "net/http"

// routes says what is answered where. Nobody gets here without the cookie (security.go).
func (s *Server) routes() {
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ui/pods", http.StatusSeeOther) })
	s.mux.HandleFunc("GET /ui/{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ui/pods", http.StatusSeeOther) })
	s.mux.HandleFunc("GET /ui/pods", s.podsPage)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.notFound(w, r, "") })
}
