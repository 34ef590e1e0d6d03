package dashboard

import "net/http"

func (s *Server) podsPage(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, page{Tab: podsTab, Title: "Pods", Main: e("h1", text("Pods"))})
}
