package diagnosis

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/printable"
)

// Latency prints a time that something took with two or three digits: "0.8 ms", "412 ms", "1.24 s".
func Latency(d time.Duration) string {
	switch ms := float64(d) / float64(time.Millisecond); {
	case d > 0 && ms < 0.05:
		return "<0.1 ms"
	case ms < 9.95:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	case d < 10*time.Second:
		return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.2f", d.Seconds()), "0"), ".0") + " s"
	}
	return Age(d)
}

// Duration prints how long something took or lasted: 4 ms, 0.2 s, 5.5 s, 42 s, 5m10s, 3h04m.
func Duration(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Truncate(time.Second).Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// Age prints how old something is: "12s", "42m", "3h04m", "2d".
func Age(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 10*time.Minute:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// Clock prints what is left of a time: "0:34", "12:05".
func Clock(d time.Duration) string {
	s := int(max(d, 0).Round(time.Second).Seconds())
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// Span prints a time within a sentence: "12 s", "1.8 s", "8m48s".
func Span(d time.Duration) string {
	switch {
	case d < 10*time.Second && d%time.Second != 0:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour && d%time.Minute < time.Second:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return Age(d)
}

func fraction(n, of int) string { return strconv.Itoa(min(n, of)) + "/" + strconv.Itoa(of) }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// maxText is how many columns of a text of others are shown in a sentence.
const maxText = 200

// shortened is a text on one line, with its end cut off if it is long.
func shortened(text string) string {
	text = oneLine(text)
	if printable.Width(text) > maxText {
		return printable.Fit(text, maxText) + "…"
	}
	return text
}

// quoted is a text of others in quotes.
func quoted(text string) string { return "“" + shortened(text) + "”" }

// said is what an answer says: without the tags, if it is a page.
func said(body string) string {
	body = strings.TrimSpace(body)
	if !strings.HasPrefix(body, "<") {
		return body
	}
	return strings.Join(strings.Fields(patterns().tag.ReplaceAllString(body, " ")), " ")
}

// times is a number of times in words.
func times(n int) string {
	words := []string{"", "once", "twice", "three times", "four times", "five times", "six times", "seven times", "eight times", "nine times"}
	if n < len(words) {
		return words[max(n, 0)]
	}
	return strconv.Itoa(n) + " times"
}
