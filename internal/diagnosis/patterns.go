package diagnosis

import (
	"regexp"
	"sync"
)

// patterns are what is looked for in texts of others. They are compiled when the first Pod fails:
// most runs, and the process that starts programs, never need them.
var patterns = sync.OnceValue(func() (p struct{ hostName, hostAndPort, variable, file, tag *regexp.Regexp }) {
	p.hostName = regexp.MustCompile(`(?:\blookup |\bhost(?: name)? |://(?:[^/@\s]*@)?|\bENOTFOUND )"?([a-z][a-z0-9-]*)`)
	p.hostAndPort = regexp.MustCompile(`\b([a-z][a-z0-9-]*)(?:\.[a-z0-9.-]+)?:\d{2,5}\b`)
	p.variable = regexp.MustCompile(`\b([A-Z][A-Z0-9]*_[A-Z0-9_]+|PORT)\b(?:.{0,30}\b(?:not set|required|missing|undefined|empty|unset|must be set)\b)`)
	p.file = regexp.MustCompile(`(?:open|stat|cannot open|No such file or directory:|read) ['"]?([./~][^\s'":,]+)['"]?`)
	p.tag = regexp.MustCompile(`(?is)<(style|script|head).*?</(style|script|head)>|<[^>]*>`)
	return p
})
