package dashboard

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/probity-run/probity/internal/dashboard/markup"
)

// RunHeader is the header by which a dashboard tells whose it is, to whoever is not signed in.
const RunHeader = "Probity-Run"

// onceTime is how long a link can be opened.
const onceTime = 60 * time.Second

// NewOnce makes a once-token: who opens /ui/?t=TOKEN within a minute is let in, once. Whoever has
// the key of a run can make one, in another process too.
func NewOnce(key []byte, now time.Time) string {
	var nonce [12]byte
	rand.Read(nonce[:]) // never fails
	claim := strconv.FormatInt(now.Unix(), 36) + "." + base64.RawURLEncoding.EncodeToString(nonce[:])
	return claim + "." + sign(key, "once", claim)
}

func sign(key []byte, what, claim string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(what + "\x00" + claim))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// signIn knows who has been let in: whoever has the cookie that a once-token was swapped for. The
// cookie outlives a restart of the run, as the key does.
type signIn struct {
	key      []byte
	instance string
	now      func() time.Time

	mu   sync.Mutex // guards used
	used map[string]time.Time
}

func newSignIn(key []byte, instance string, now func() time.Time) *signIn {
	return &signIn{key: key, instance: instance, now: now, used: map[string]time.Time{}}
}

// cookieName has the run's instance, because cookies are shared between ports.
func (s *signIn) cookieName() string { return "probity-" + s.instance }

func (s *signIn) isIn(r *http.Request) bool {
	for _, cookie := range r.CookiesNamed(s.cookieName()) {
		if hmac.Equal([]byte(cookie.Value), []byte(sign(s.key, "cookie", s.instance))) {
			return true
		}
	}
	return false
}

// enter answers a request that comes with a once-token: by the cookie and a redirect to the same
// page without it. It reports whether it has answered.
func (s *signIn) enter(w http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	token := query.Get("t")
	if token == "" || r.URL.Path != "/ui/" || r.Method != http.MethodGet {
		return false
	}
	if s.take(token) {
		http.SetCookie(w, &http.Cookie{
			Name: s.cookieName(), Value: sign(s.key, "cookie", s.instance), Path: "/ui/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: 30 * 24 * 3600,
		})
	} else if !s.isIn(r) {
		return false
	}
	http.Redirect(w, r, "/ui/pods", http.StatusSeeOther)
	return true
}

// take uses up a once-token, and reports whether it is good.
func (s *signIn) take(token string) bool {
	end := strings.LastIndexByte(token, '.')
	if end < 0 || !hmac.Equal([]byte(token[end+1:]), []byte(sign(s.key, "once", token[:end]))) {
		return false
	}
	made, _, _ := strings.Cut(token, ".")
	seconds, err := strconv.ParseInt(made, 36, 64)
	now := s.now()
	if age := now.Sub(time.Unix(seconds, 0)); err != nil || age > onceTime || age < -onceTime {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for other, at := range s.used {
		if now.Sub(at) > 2*onceTime {
			delete(s.used, other)
		}
	}
	_, used := s.used[token]
	s.used[token] = now
	return !used
}

// refuseStranger answers whoever has no cookie.
func (s *Server) refuseStranger(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		http.Redirect(w, r, "/ui/", http.StatusSeeOther)
		return
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		// The link was clicked on a page of another site, so the cookie was left at home. It comes
		// along when this page asks again.
		w.Header().Set("Refresh", "0")
	}
	w.Header().Set(RunHeader, s.opts.Instance)
	why := "This browser is not signed in to this run."
	if r.URL.Query().Has("t") {
		why = "This link has been used already, or is older than a minute."
	}
	if s.isCluster() {
		writePage(w, http.StatusUnauthorized, markup.Page(bare("Sign in", markup.List{
			markup.E("p", markup.Text(why)),
			markup.E("p", markup.Text("In a terminal, end "), markup.E("code", markup.Text("probity dashboard --context")), markup.Text(" and start it again: it prints a fresh link.")),
		})))
		return
	}
	writePage(w, http.StatusUnauthorized, markup.Page(bare("Sign in", markup.List{
		markup.E("p", markup.Text(why)),
		markup.E("p", markup.Text("In a terminal, "), markup.E("code", markup.Text("probity dashboard")), markup.Text(" prints a fresh link; "),
			markup.E("code", markup.Text("probity dashboard --open")), markup.Text(" opens it.")),
	})))
}
