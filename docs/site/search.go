package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// index is what the search of the pages knows. It is small, as each page may load it: which words a
// section has, but not how often or where, and how its text begins.
type index struct {
	// Pages are address and title.
	Pages [][2]string `json:"pages"`
	// Sections are the number of the page, the anchor, the heading and how the text begins.
	Sections [][4]any `json:"sections"`
	// Words has a line for each word: the word, and the sections that have it, each as the distance
	// to the one before, in base 36.
	Words string `json:"words"`
}

func newIndex(pages []page) index {
	var made index
	sections := map[string][]int{}
	for i, p := range pages {
		made.Pages = append(made.Pages, [2]string{address(p.source), p.title})
		for _, s := range p.sections {
			number := len(made.Sections)
			made.Sections = append(made.Sections, [4]any{i, s.Anchor, s.Title, beginning(s.text)})
			for word := range wordsOf(s.Title + " " + s.text) {
				sections[word] = append(sections[word], number)
			}
		}
	}
	var lines []string
	for _, word := range slices.Sorted(maps.Keys(sections)) {
		line, before := word, 0
		for _, number := range sections[word] {
			line += " " + strconv.FormatInt(int64(number-before), 36)
			before = number
		}
		lines = append(lines, line)
	}
	made.Words = strings.Join(lines, "\n")
	return made
}

// longestBeginning is how many letters of a text are shown beside its heading.
const longestBeginning = 120

// beginning is how a text begins, up to the end of a word.
func beginning(text string) string {
	letters := []rune(strings.Join(strings.Fields(text), " "))
	if len(letters) <= longestBeginning {
		return string(letters)
	}
	begin := string(letters[:longestBeginning])
	return begin[:strings.LastIndex(begin, " ")+1] + "…"
}

// wordsOf are the words of a text, as the search of the pages divides it, too: letters and digits
// in a row, small. A number alone is none, apart from those with three digits, which may be the
// status of an answer.
func wordsOf(text string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		isNumber := strings.Trim(word, "0123456789") == ""
		if len(word) > 1 && (!isNumber || len(word) == 3) {
			all[word] = true
		}
	}
	return all
}

// script is the index as a script, since a page that is a file may load nothing else.
func (x index) script() []byte {
	data, _ := json.Marshal(x) // texts and numbers always have a JSON form
	return slices.Concat([]byte("globalThis.probitySearch="), data, []byte(";\n"))
}
