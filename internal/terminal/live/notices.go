package live

import (
	"strings"
	"time"

	"github.com/probity-run/probity/internal/terminal/screen"
)

// maxNotices is how many notices are remembered.
const maxNotices = 100

// say takes a line that is no change: a note about the run. It waits for nobody.
func (h *hub) say(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	role := screen.Muted
	for _, sign := range []string{"outage: ", "warning: ", "level=WARN", "level=ERROR", "cannot "} {
		if strings.Contains(line, sign) {
			role = screen.Warn
		}
	}
	text := clean(strings.TrimPrefix(line, "probity: "))
	h.notices = append(h.notices, screen.Notice{ID: "said " + itoa(h.said) + text, Text: text, Role: role})
	h.said++
	if len(h.notices) > maxNotices {
		h.notices = append([]screen.Notice{}, h.notices[len(h.notices)-maxNotices:]...)
	}
	h.touch()
}

// refuse takes why manifests that were saved are not applied; "" says that they are again. Each
// refusal comes anew, also after somebody has hidden the last one.
func (h *hub) refuse(text, short string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refusedText = clean(text); text == "" {
		h.refusedSince = time.Time{}
	} else {
		h.refusals++
		h.refusedShort, h.refusedSince = clean(short), now
	}
	h.touch()
}

// allNotices are the refusal that stands, and what was said. The caller holds the lock.
func (h *hub) allNotices() []screen.Notice {
	var all []screen.Notice
	if h.refusedText != "" {
		all = append(all, screen.Notice{
			ID: "refused " + itoa(h.refusals), Role: screen.Bad,
			Text:  h.refusedText + ". What ran before goes on; save the file again.",
			Short: h.refusedShort + "; save the file again",
		})
	}
	return append(all, h.notices...)
}
