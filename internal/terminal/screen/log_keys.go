package screen

import "strings"

// logKey takes the keys of the log page.
func (v *View) logKey(s *State, key string) (Action, bool) {
	log := &v.log
	switch key {
	case "f":
		log.following = !log.following
	case "w":
		log.wrap = !log.wrap
	case "t":
		log.noTime = !log.noTime
	case "b":
		log.probes = !log.probes
	case "p":
		log.previous, log.following, log.all = !log.previous, true, false
	case "a":
		log.all, log.following, log.previous = !log.all, true, false
	case "n":
		return v.searchIn(s.Log, false, log.top+1), true
	case "N":
		return v.searchIn(s.Log, true, log.top), true
	case "S":
		return Action{Kind: SaveLog, Pod: v.selected}, true
	case "esc":
		if log.search == "" {
			return Action{}, false
		}
		log.search = ""
	case "enter", "l", "s", "e", "x", "v", "m":
		return Action{}, key == "enter" || key == "l"
	default:
		return Action{}, false
	}
	return Action{}, true
}

// moveLog moves by lines. What has to be loaded for that is asked for.
func (v *View) moveLog(log *Log, n int) Action {
	if log == nil || len(log.Lines) == 0 {
		return Action{}
	}
	list := v.visible(log)
	at := v.firstShown(list)
	switch {
	case n == -ToEnd && (log.Older || log.Newer):
		v.log.following = false
		return Action{Kind: OldestLog}
	case n < 0 && at+n < 0 && log.Older:
		v.log.following = false
		return Action{Kind: OlderLog, Lines: n}
	case n > 0 && n < ToEnd && log.Newer && (at+n >= len(list) || v.log.bottom >= list[len(list)-1].Seq):
		return Action{Kind: NewerLog, Lines: n}
	case n == ToEnd && log.Newer:
		v.log.following = true // the end is loaded
		return Action{}
	}
	v.MoveLog(log, n)
	return Action{}
}

// MoveLog moves by lines, as far as they are loaded.
func (v *View) MoveLog(log *Log, n int) {
	list := v.visible(log)
	if len(list) == 0 {
		return
	}
	at := v.firstShown(list)
	atEnd := v.log.bottom >= list[len(list)-1].Seq
	if n > 0 && (v.log.following || atEnd) {
		v.log.following = true
		return
	}
	v.log.following = false
	v.log.top = list[min(max(at+n, 0), len(list)-1)].Seq
	if at+n >= len(list) {
		v.log.following = true
	}
}

// firstShown is the place in a list of the line that is shown first.
func (v *View) firstShown(list []*LogLine) int {
	for i, l := range list {
		if l.Seq >= v.log.top {
			return i
		}
	}
	return len(list) - 1
}

// Matches reports whether a line of a log has a text, whatever the case of its letters.
func Matches(spans []Span, search string) bool {
	return strings.Contains(strings.ToLower(text(spans)), strings.ToLower(search))
}

// searchIn goes to the next line that has what is searched for: back to those before a number, or
// on from it. If none that is loaded has it, the rest is searched.
func (v *View) searchIn(log *Log, back bool, from int) Action {
	if v.log.search == "" || log == nil {
		return Action{}
	}
	list := v.visible(log)
	if back {
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].Seq < from && Matches(list[i].Text, v.log.search) {
				v.log.following, v.log.top = false, list[i].Seq
				return Action{}
			}
		}
	} else {
		for _, l := range list {
			if l.Seq >= from && Matches(l.Text, v.log.search) {
				v.log.following, v.log.top = false, l.Seq
				return Action{}
			}
		}
	}
	if back && log.Older || !back && log.Newer {
		v.said = "searching for /" + v.log.search
		return Action{Kind: SearchLog, Text: v.log.search, Back: back, Probes: v.log.probes}
	}
	v.said = "no more matches of /" + v.log.search
	return Action{}
}

// FoundInLog shows what a [SearchLog] has found: the first line from a number on that has it.
func (v *View) FoundInLog(log *Log, seq int) {
	v.said, v.log.following, v.log.top = "", false, seq
	for _, l := range v.visible(log) {
		if l.Seq >= seq && Matches(l.Text, v.log.search) {
			v.log.top = l.Seq
			return
		}
	}
}
