package kubectl

import (
	"regexp"
	"strings"
)

// Mask replaces what is another in each run, and what comes of it: columns are two spaces apart,
// however wide they are.
//
//	AGE      time spans: 12s, 3m4s
//	TIME     instants
//	UID
//	VERSION  of a resource
//	HASH     of a template: web-HASH, pod-template-hash=HASH
//	RAND     the end of a name that was generated: web-HASH-RAND
//	IP       an address of version 4
func Mask(text string) string {
	// the letters of generated names: no vowels, and nothing that looks like one
	const letters = `[bcdfghjklmnpqrstvwxz2456789]`
	for _, rule := range []struct{ pattern, by string }{
		{`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`, "UID"},
		{`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`, "TIME"},
		{`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}`, "TIME"},
		{`(resourceVersion"?: ?)"\d+"`, `${1}"VERSION"`},
		{`(resourceVersion\\": ?\\")\d+`, `${1}VERSION`}, // in a quoted text
		{`(ResourceVersion in record )\(\d+\)`, `${1}(VERSION)`},
		{`([-=])` + letters + `{8,10}\b`, "${1}HASH"},
		{`-HASH-` + letters + `{5}\b`, "-HASH-RAND"},
		{`\b\d+\.\d+\.\d+\.\d+\b`, "IP"},
		{`\b(\d+[smhdy])+\b`, "AGE"},
		{`  +`, "  "},
		{`(?m) +$`, ""},
	} {
		text = regexp.MustCompile(rule.pattern).ReplaceAllString(text, rule.by)
	}
	return strings.TrimRight(text, "\n") + "\n"
}
