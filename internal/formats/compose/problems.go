package compose

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
)

// remark is something to say about a Compose file.
type remark struct {
	at      Place
	path    string
	message string
	reason  manifest.Reason
}

// problems gathers what there is to say about a Compose file.
type problems struct {
	// errs are what is wrong, notApplied the fields that do nothing here, missing what is legal and
	// yet probably not meant, different what Kubernetes will do and Docker would not.
	errs, notApplied, missing, different []remark
}

// maxErrors bounds the errors of one file.
const maxErrors = 100

func (p *problems) fail(at Place, path string, reason manifest.Reason, format string, args ...any) {
	if len(p.errs) < maxErrors {
		p.errs = append(p.errs, remark{at, path, fmt.Sprintf(format, args...), reason})
	}
}

func (p *problems) noteNotApplied(at Place, path, format string, args ...any) {
	p.notApplied = append(p.notApplied, remark{at: at, path: path, message: fmt.Sprintf(format, args...)})
}

func (p *problems) noteMissing(at Place, path, format string, args ...any) {
	p.missing = append(p.missing, remark{at: at, path: path, message: fmt.Sprintf(format, args...)})
}

func (p *problems) noteDifferent(at Place, path, format string, args ...any) {
	p.different = append(p.different, remark{at: at, path: path, message: fmt.Sprintf(format, args...)})
}

// remarks are those about a file. What is about another file, which it includes or extends, says
// its place in the message.
func remarks(list []remark, file string) (all []manifest.Remark) {
	for _, r := range list {
		at := &yaml.Node{Line: r.at.Line, Column: r.at.Column}
		if r.at.File != file {
			at.Line, at.Column = 1, 1
			r.message = r.at.String() + ": " + r.message
		}
		object, path := inService(r.path)
		all = append(all, manifest.Remark{At: at, Object: object, Field: path, Message: r.message, Reason: r.reason})
	}
	return all
}

// inService divides a path into the service and the path in it.
func inService(path string) (object manifest.Ref, rest string) {
	rest, ok := strings.CutPrefix(path, "services.")
	if !ok {
		return manifest.Ref{}, path
	}
	name, rest, _ := strings.Cut(rest, ".")
	return manifest.Ref{Kind: "service", Name: name}, rest
}
