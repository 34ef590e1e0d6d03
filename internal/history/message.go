package history

import (
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// maxMessages is how many different messages of a probe are kept at a time.
const maxMessages = 16

// messages numbers texts, so that an attempt holds a number only. When there is no room for another
// one, the text that was not used for the longest time is forgotten.
//
// Numbers begin anew after 65,535 texts, but for those of texts that are still kept. No two
// attempts have the same number for different texts then, as far fewer are kept.
type messages struct {
	recent    []message // the one used last comes first; of the writer
	last      uint16    // the newest number; of the writer
	published atomic.Pointer[[]message]
}

type message struct {
	number uint16
	text   string
}

// number is that of a text; 0 for none.
func (m *messages) number(text string) uint16 {
	text = cut(text, MaxMessage)
	if text == "" {
		return 0
	}
	if i := slices.IndexFunc(m.recent, func(known message) bool { return known.text == text }); i >= 0 {
		known := m.recent[i]
		copy(m.recent[1:i+1], m.recent[:i])
		m.recent[0] = known
		return known.number
	}
	kept := m.recent[:min(len(m.recent), maxMessages-1)]
	for m.last++; m.last == 0 || slices.ContainsFunc(kept, func(known message) bool { return known.number == m.last }); {
		m.last++
	}
	// a copy, or a short text would keep the memory of a long one
	m.recent = slices.Insert(kept, 0, message{m.last, strings.Clone(text)})
	published := slices.Clone(m.recent)
	m.published.Store(&published)
	return m.last
}

// texts are the messages that there are, for readers.
func (m *messages) texts() []message {
	if published := m.published.Load(); published != nil {
		return *published
	}
	return nil
}

// textOf finds a message by its number.
func textOf(texts []message, number uint16) string {
	for _, m := range texts {
		if m.number == number {
			return m.text
		}
	}
	return ""
}

// cut is the beginning of a text, of at most n bytes and without half a character at the end.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for end := n; end > n-utf8.UTFMax; end-- {
		if utf8.RuneStart(text[end]) {
			return text[:end]
		}
	}
	return text[:n] // not UTF-8
}
