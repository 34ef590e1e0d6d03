package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/printable"
)

// GitHub writes workflow commands, which GitHub Actions shows at the lines of a pull request.
func GitHub(w io.Writer, r *advisor.Report, _ Options) error {
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	out := bufio.NewWriter(w)
	for _, f := range r.Findings {
		command := "notice"
		switch f.Severity {
		case advisor.Outage, advisor.Risk:
			command = "error"
		case advisor.Waste:
			command = "warning"
		}
		message := sentence(f)
		if f.Patch != nil {
			message += "\n" + fixLines(f)
		}
		fmt.Fprintf(out, "::%s file=%s,line=%d,endLine=%d,col=%d,endColumn=%d,title=%s::%s\n", command, printable.Line(property.Replace(f.Region.File)), f.Region.Line, f.Region.EndLine,
			f.Region.Column, f.Region.EndColumn, property.Replace(f.Severity.String()+": "+f.Rule), printable.Line(data.Replace(message)))
	}
	return out.Flush()
}
