package markup

import (
	"strings"
	"testing"
)

// TestTextStaysText: whatever a text of others is, the browser sees one element.
func TestTextStaysText(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                           "plain",
		`<img src=x onerror=alert(1)>`:    "&lt;img src=x onerror=alert(1)&gt;",
		`"><script>alert(1)</script>`:     "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
		`' onclick='x`:                    "&#39; onclick=&#39;x",
		"a & b &lt;":                      "a &amp; b &amp;lt;",
		"\u202eevil\u2066":                `\u202eevil\u2066`,
		"\x1b]8;;http://evil\x07x\x1b[0m": `\u001b]8;;http://evil\u0007x`,
		"\xff\x00":                        `\xff\u0000`,
	} {
		got := string(Part(E("p.a.b", A("title", text), Text(text))))
		if want := `<p class="a b" title="` + want + `">` + want + `</p>`; got != want {
			t.Errorf("%q: %s\nwant %s", text, got, want)
		}
	}
}

// TestAddresses: a link leads to a page, or nowhere.
func TestAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"/ui/pods?q=a&b=c":      "/ui/pods?q=a&amp;b=c",
		"#main":                 "#main",
		"?window=5":             "?window=5",
		"http://127.0.0.1:8080": "http://127.0.0.1:8080",
		"javascript:alert(1)":   "#",
		" javascript:alert(1)":  "#",
		"JAVASCRIPT:alert(1)":   "#",
		"data:text/html,x":      "#",
		"//evil.example/":       "#",
		`/\evil.example/`:       "#",
		"\x01javascript:x":      "#",
	} {
		if got, want := string(Part(E("a", A("href", address)))), `<a href="`+want+`"></a>`; got != want {
			t.Errorf("%q: %s, want %s", address, got, want)
		}
	}
}

// TestRefused: what a browser would refuse cannot be written.
func TestRefused(t *testing.T) {
	for name, make := range map[string]func() Item{
		"a style attribute": func() Item { return A("style", "color:red") },
		"a handler":         func() Item { return A("onclick", "x()") },
		"a page in a page":  func() Item { return A("srcdoc", "x") },
		"a style":           func() Item { return E("style", Text("x")) },
		"a script":          func() Item { return E("script", Text("x")) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s can be written", name)
				}
			}()
			make()
		}()
	}
}

func TestShapes(t *testing.T) {
	page := string(Page(E("html", E("head", E("meta", A("charset", "utf-8"))), nil, E("body",
		List{Class("x", "", "y"), Text("a")}, If(false, Text("b")), On("hidden", true), On("inert", false), N("tabindex", -1),
		Join(Text(", "), Text("c"), E("b", Text("d"))), E("input", A("value", ""))))))
	want := "<!doctype html>\n" + `<html><head><meta charset="utf-8"></head><body class="x y" hidden tabindex="-1">ac, <b>d</b><input value=""></body></html>`
	if page != want {
		t.Errorf("%s\nwant %s", page, want)
	}
}

func FuzzText(f *testing.F) {
	f.Add("<a href=\"x\">")
	f.Fuzz(func(t *testing.T, text string) {
		got := string(Part(E("p", A("title", text), Text(text))))
		if strings.Count(got, "<") != 2 || strings.Count(got, `"`) != 2 && text != "" {
			t.Errorf("%q: %s", text, got)
		}
	})
}
