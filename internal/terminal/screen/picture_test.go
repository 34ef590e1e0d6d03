package screen

import (
	"fmt"
	"html"
	"strings"
	"testing"
)

const (
	cellWidth, cellHeight = 8.4, 18
	picturePath           = "../../../docs/terminal.svg"
)

// TestPicture is the picture of the README: a frame as SVG. With -update it is written anew.
func TestPicture(t *testing.T) {
	s := hung(3)
	s.Workloads = append(s.Workloads, Workload{ID: "gateway", Name: "gateway", Kind: "Deployment", Ready: 1, Desired: 1})
	well := podOf(4, *healthy(4))
	well.Name, well.ID, well.Workload = "gateway-5c8b7d9f66-2lqsm", "gateway", "gateway"
	s.Pods = append(s.Pods, well)
	s.Services[0].Also = ""
	s.Services = append(s.Services, Service{Name: "gateway", Address: "127.80.3.18:9000", Ready: 1, Total: 1, Rate: "4 req/s", Lost: "0 lost"})
	var v View
	golden(t, picturePath, svg(t, v.Frame(s, 100, 26, Dark()), 100, 26))
}

// svg draws a frame of the dark theme.
func svg(t *testing.T, frame string, width, height int) string {
	var b strings.Builder
	w, h := float64(width)*cellWidth+24, float64(height)*cellHeight+24
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" role="img">`+"\n", w, h)
	b.WriteString("<title>probity run: a replica hangs; the terminal says why, what follows and what to do</title>\n")
	fmt.Fprintf(&b, `<rect width="%.0f" height="%.0f" rx="8" fill="#0d1117"/>`+"\n", w, h)
	for row, l := range strings.Split(frame, "\n") {
		y := 12 + float64(row)*cellHeight
		column := 0
		for l != "" {
			codes := ""
			var piece string
			if rest, ok := strings.CutPrefix(l, "\x1b["); ok {
				codes, rest, _ = strings.Cut(rest, "m")
				piece, l, _ = strings.Cut(rest, "\x1b[m")
			} else {
				at := strings.Index(l, "\x1b[")
				if at < 0 {
					at = len(l)
				}
				piece, l = l[:at], l[at:]
			}
			drawSpan(t, &b, piece, codes, 12+float64(column)*cellWidth, y)
			column += widthOf(piece)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func drawSpan(t *testing.T, b *strings.Builder, text, codes string, x, y float64) {
	width := float64(widthOf(text)) * cellWidth
	fill, weight := "#d0d7de", ""
	if _, after, ok := strings.Cut(codes, "48;5;"); ok {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="%s"/>`+"\n", x, y, width, cellHeight, rgb(t, after))
	}
	for part := range strings.SplitSeq(strings.ReplaceAll(codes, "8;5;", "8:"), ";") {
		if part == "1" {
			weight = ` font-weight="bold"`
		}
		if index, ok := strings.CutPrefix(part, "38:"); ok {
			fill = rgb(t, index)
		}
	}
	if strings.TrimSpace(text) == "" {
		return
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" fill="%s"%s textLength="%.1f" lengthAdjust="spacingAndGlyphs" xml:space="preserve">%s</text>`+"\n", x, y+13.5, fill, weight, width, html.EscapeString(text))
}

func rgb(t *testing.T, index string) string {
	c := colour(t, index)
	return fmt.Sprintf("#%02x%02x%02x", int(c[0]), int(c[1]), int(c[2]))
}
