// Package markup writes HTML in which texts stay texts. An element is a value of Go, so a page is
// made by functions that return elements, the compiler checks it, and nothing is generated.
//
//	markup.E("a.btn", markup.A("href", "/ui/pods"), markup.Text(name))
//
// What others wrote can only be the text of an element or the value of an attribute. Both are
// escaped, and what would be hidden from people or would move letters is shown (printable). An
// address that is no page's, such as javascript:, is not written. What a Content-Security-Policy
// would refuse (style attributes, handlers of events, scripts within a page) cannot be written: it
// panics, as only a mistake in the program asks for it.
package markup

import (
	"slices"
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/printable"
)

// Item is what an element is made of: an attribute, or something in it. A nil Item is left out.
type Item interface {
	append(page []byte, attributes bool) []byte
}

// Text is text in an element.
type Text string

func (t Text) append(page []byte, attributes bool) []byte {
	if attributes {
		return page
	}
	return appendEscaped(page, printable.Text(string(t)))
}

// List is several items in a place of one.
type List []Item

func (l List) append(page []byte, attributes bool) []byte {
	for _, item := range l {
		if item != nil {
			page = item.append(page, attributes)
		}
	}
	return page
}

// If is an item under a condition.
func If(is bool, item Item) Item {
	if is {
		return item
	}
	return nil
}

// Join are items with others in between.
func Join(between Item, items ...Item) Item {
	var all List
	for i, item := range items {
		if i > 0 {
			all = append(all, between)
		}
		all = append(all, item)
	}
	return all
}

type attribute struct{ name, value string }

// A is an attribute of an element.
func A(name, value string) Item {
	switch {
	case name == "style" || strings.HasPrefix(name, "on") || name == "srcdoc":
		panic("markup: an attribute " + name + " would be refused by the browser")
	case isAddress(name) && !isPage(value):
		value = "#"
	}
	return attribute{name, value}
}

// N is an attribute that is a number.
func N(name string, n int) Item { return attribute{name, strconv.Itoa(n)} }

// On is an attribute without a value, if it is to be there.
func On(name string, is bool) Item { return If(is, attribute{name: name}) }

func isAddress(name string) bool {
	return slices.Contains([]string{"href", "src", "action", "formaction", "poster", "data", "xlink:href"}, name)
}

// isPage reports whether an address is that of a page, and neither a script nor, as //host is,
// another host by mistake.
func isPage(address string) bool {
	if strings.HasPrefix(address, "//") || strings.HasPrefix(address, `/\`) {
		return false
	}
	return address == "" || strings.ContainsAny(address[:1], "/#?") || strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://")
}

func (a attribute) append(page []byte, attributes bool) []byte {
	if !attributes {
		return page
	}
	page = append(append(page, ' '), a.name...)
	if a.value == "" && a.name != "value" && a.name != "alt" {
		return page
	}
	return append(appendEscaped(append(page, `="`...), printable.Text(a.value)), '"')
}

type element struct {
	tag, class string
	items      []Item
}

// E is an element. Its tag can have classes: "div.card.pods".
func E(tag string, items ...Item) Item {
	name, class, _ := strings.Cut(tag, ".")
	if name == "style" || name == "script" && slices.ContainsFunc(items, func(i Item) bool { _, is := i.(attribute); return !is }) {
		panic("markup: a page has neither styles nor scripts of its own")
	}
	return &element{name, strings.ReplaceAll(class, ".", " "), items}
}

// Class is the attribute of classes that depend on something; those of the tag come first. It is
// for an element whose tag has none.
func Class(classes ...string) Item {
	return attribute{"class", strings.Join(slices.DeleteFunc(classes, func(c string) bool { return c == "" }), " ")}
}

func (e *element) append(page []byte, attributes bool) []byte {
	if attributes {
		return page
	}
	page = append(append(page, '<'), e.tag...)
	if e.class != "" {
		page = append(append(append(page, ` class="`...), e.class...), '"')
	}
	page = append(List(e.items).append(page, true), '>')
	if isVoid(e.tag) {
		return page
	}
	page = List(e.items).append(page, false)
	return append(append(append(page, "</"...), e.tag...), '>')
}

func isVoid(tag string) bool {
	return slices.Contains([]string{"meta", "link", "input", "br", "hr", "img", "wbr"}, tag)
}

// Page is a whole document.
func Page(html Item) []byte { return html.append([]byte("<!doctype html>\n"), false) }

// Part is a part of one.
func Part(item Item) []byte {
	if item == nil {
		return nil
	}
	return item.append(nil, false)
}

// appendEscaped appends a text so that neither an element nor a quoted attribute ends in it.
func appendEscaped(page []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; c {
		case '&':
			page = append(page, "&amp;"...)
		case '<':
			page = append(page, "&lt;"...)
		case '>':
			page = append(page, "&gt;"...)
		case '"':
			page = append(page, "&#34;"...)
		case '\'':
			page = append(page, "&#39;"...)
		default:
			page = append(page, c)
		}
	}
	return page
}
