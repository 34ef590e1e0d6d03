package render

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/probity-run/probity/internal/dashboard"
	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/printable"
)

// PageLimit is how many bytes a page has at most.
const PageLimit = 300_000

// Page writes a report as one file of HTML that stands for itself: it needs no network, runs no
// script, and has the look of the dashboard, in both themes. Where all of the report would be more
// than [PageLimit], the pictures of what went well are left out first, then all pictures, then the
// single repetitions, then the end.
func Page(out io.Writer, r *drill.Report) error {
	css, err := dashboard.Stylesheet()
	if err != nil {
		return fmt.Errorf("cannot read the style sheet of the page: %w", err)
	}
	var page []byte
	for detail := everything; detail <= headlines; detail++ {
		if page = document(css, r, detail); len(page) <= PageLimit {
			break
		}
	}
	if _, err = out.Write(page); err != nil {
		return fmt.Errorf("cannot write the page: %w", err)
	}
	return nil
}

// document is a whole page. Its policy lets nothing in but the style sheet that is within it.
func document(css []byte, r *drill.Report, d detail) []byte {
	sum := sha256.Sum256(css)
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	head := markup.List{
		markup.E("meta", markup.A("charset", "utf-8")),
		markup.E("meta", markup.A("http-equiv", "Content-Security-Policy"), markup.A("content", policy)),
		markup.E("meta", markup.A("name", "viewport"), markup.A("content", "width=device-width, initial-scale=1")),
		markup.E("meta", markup.A("name", "color-scheme"), markup.A("content", "light dark")),
		markup.E("title", markup.Text(title(r)+" · Probity")),
	}
	body := markup.E("body",
		markup.E("header.top", markup.E("div.bar", markup.E("span.brand", markup.Text("Probity drill")), markup.E("span.run.small.cut", d.text(subject(r))))),
		markup.E("main", markup.A("id", "main"), body(r, d)))
	page := append([]byte("<!doctype html>\n<html lang=\"en\"><head>"), markup.Part(head)...)
	page = append(append(append(page, "<style>"...), css...), "</style></head>\n"...)
	return append(append(page, markup.Part(body)...), "</html>\n"...)
}

// detail is how much of a report is in a page.
type detail int

const (
	everything    detail = iota
	picturesOfBad        // no pictures of what went well
	noPictures           // and none of the rest
	noRepetitions        // and no tables of repetitions and requests
	noTables             // the verdicts alone, without patches
	headlines            // the first few of them, shortened
)

// What headlines have at most, so that they are below the limit whatever the report is.
const (
	fewResults     = 40
	fewVerdicts    = 3  // of a result
	fewLines       = 15 // of a list
	shortTextBytes = 60 // of a text
)

// leftOut says what is not in a page, "" for nothing.
func (d detail) leftOut() string {
	switch d {
	case everything:
		return ""
	case picturesOfBad:
		return "The pictures of what went well are left out: the page would be too long. -o json has all."
	case noPictures:
		return "The pictures are left out: the page would be too long. -o json has all."
	case noRepetitions, noTables:
		return "Pictures and single repetitions are left out: the page would be too long. -o json has all."
	}
	return "Most of the report is left out: the page would be too long. -o json has all."
}

// results are those that are shown.
func (d detail) results(r *drill.Report) []*drill.Result {
	return some(d, r.Results, fewResults)
}

// some are those of several that are shown: all, but for headlines.
func some[T any](d detail, all []T, few int) []T {
	if d == headlines {
		return all[:min(len(all), few)]
	}
	return all
}

// text is a text of the report, cut where only headlines are shown.
func (d detail) text(s string) markup.Text {
	if d == headlines {
		s = printable.CutMiddle(s, shortTextBytes)
	}
	return markup.Text(s)
}

// pictured reports whether a result has its picture.
func (d detail) pictured(r *drill.Result) bool {
	return d == everything || d == picturesOfBad && worst(r) != drill.GradePass
}
