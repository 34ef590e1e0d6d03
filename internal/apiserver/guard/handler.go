package guard

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Handler returns what [Guard.Server] serves. Requests that reach next have a path that [Segments]
// accepts, and a body that ends within the limits: see [BodyError].
func (g *Guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal, hasToken := g.judge(r)
		if client := clientOf(r.Context()); hasToken {
			client.prove()
		} else if !client.mayAsk() {
			client.Close()
			return
		} else if !client.isProven() {
			w.Header().Set("Connection", "close") // it is closed soon, and then not under an answer
		}
		if _, isPath := Segments(r.URL); refusal == nil && !isPath {
			http.NotFound(w, r)
			return
		}
		if refusal == nil {
			refusal = g.limitBody(w, r)
		}
		if refusal != nil {
			g.refuse(w, r, refusal)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// judge decides whether a request is let in, and reports whether it has the token.
func (g *Guard) judge(r *http.Request) (refusal *apierrors.StatusError, hasToken bool) {
	if !g.hosts.Has(r.Host) {
		return forbidden(fmt.Sprintf("the Host header has to be one of %s; a forwarded port needs the same number", g.hosts)), false
	}
	token, shown := bearer(r.Header)
	hasToken = shown && g.opts.IsToken(token)
	switch {
	case !hasToken && g.isForeign(r.Header):
		return forbidden("pages of other origins need the token"), false
	case r.Method == http.MethodOptions:
		return forbidden("the API answers no OPTIONS: it is not for pages in a browser"), hasToken
	case !hasToken && (shown || !isPublic(r)):
		return apierrors.NewUnauthorized("Unauthorized"), false
	}
	return nil, hasToken
}

func forbidden(why string) *apierrors.StatusError {
	return apierrors.NewForbidden(schema.GroupResource{}, "", errors.New(why))
}

// bearer returns the token of a request; shown is false if there is none, not even a wrong one.
func bearer(header http.Header) (token string, shown bool) {
	scheme, token, _ := strings.Cut(strings.TrimSpace(header.Get("Authorization")), " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

// isForeign reports whether a page has made the request that does not come from this server.
func (g *Guard) isForeign(header http.Header) bool {
	for _, from := range header["Origin"] {
		if !g.hosts.IsOrigin(from) {
			return true
		}
	}
	return false
}

// isPublic reports whether a request needs no token: it asks whether the API is healthy, as a whole
// or in one respect.
func isPublic(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	segments, ok := Segments(r.URL)
	if !ok || len(segments) == 0 || len(segments) > 2 {
		return false
	}
	return segments[0] == "healthz" || segments[0] == "livez" || segments[0] == "readyz"
}
