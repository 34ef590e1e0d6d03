package compose

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
)

// remark is something to say about a Compose file.
type remark struct {
	at      Place
	path    Path
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

func (p *problems) fail(at Place, path Path, reason manifest.Reason, format string, args ...any) {
	if len(p.errs) < maxErrors {
		p.errs = append(p.errs, remark{at, path, fmt.Sprintf(format, args...), reason})
	}
}

func (p *problems) noteNotApplied(at Place, path Path, format string, args ...any) {
	p.notApplied = append(p.notApplied, remark{at: at, path: path, message: fmt.Sprintf(format, args...)})
}

func (p *problems) noteMissing(at Place, path Path, format string, args ...any) {
	p.missing = append(p.missing, remark{at: at, path: path, message: fmt.Sprintf(format, args...)})
}

func (p *problems) noteDifferent(at Place, path Path, format string, args ...any) {
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
		object := manifest.Ref{}
		if r.path.Service != "" {
			object = manifest.Ref{Kind: "service", Name: r.path.Service}
		}
		all = append(all, manifest.Remark{At: at, Object: object, Field: r.path.Field, Message: r.message, Reason: r.reason})
	}
	return all
}
