package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/advisor"
	adviser "github.com/probity-run/probity/internal/advisor/render"
	"github.com/probity-run/probity/internal/deploy"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/rollout"
	"github.com/probity-run/probity/internal/rollout/render"
	"github.com/probity-run/probity/internal/terminal"
)

// deployOutput tells people or programs what a deployment does: a line per change, on a terminal a
// picture of the rollout, or objects of JSON.
type deployOutput struct {
	streams Streams
	json    bool
	quiet   bool // only what is wrong
	begun   time.Time
	before  []rollout.Result
	file    *os.File // the terminal, nil if there is none
	drawn   int      // lines of the picture that is on it
	picture []string // the last one of the rollout
	lostAt  time.Time
}

func newDeployOutput(streams Streams, output string, quiet bool) *deployOutput {
	o := &deployOutput{streams: streams, json: output == "json", quiet: quiet, begun: time.Now()}
	if file := terminal.File(streams.Out); !o.json && terminalWidth(streams) > 0 {
		o.file = file
	}
	return o
}

// live reports whether there is a picture.
func (o *deployOutput) live() bool { return o.file != nil }

// line is one for people, with its age.
func (o *deployOutput) line(text string) {
	if o.json || o.quiet {
		return
	}
	fmt.Fprintf(o.streams.Out, "%.1fs %s\n", time.Since(o.begun).Seconds(), text)
}

// object is one for programs; its time is added.
func (o *deployOutput) object(kind string, fields map[string]any) {
	if !o.json || o.quiet {
		return
	}
	fields["kind"], fields["time"] = kind, time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00")
	o.write(fields)
}

func (o *deployOutput) write(value any) {
	if text, err := json.Marshal(value); err == nil {
		fmt.Fprintf(o.streams.Out, "%s\n", text)
	}
}

// begin says where everything goes.
func (o *deployOutput) begin(c *kube.Cluster, set string) {
	text := fmt.Sprintf("context %s, server %s, namespace %s", printable.Line(cmp.Or(c.Context, "(in the cluster)")), c.Server, c.Namespace)
	if set != "" {
		text += ", set " + set
	}
	o.line(text)
	o.object("begin", map[string]any{"version": 1, "context": c.Context, "server": c.Server, "namespace": c.Namespace, "set": set})
}

// findings tells what check has found.
func (o *deployOutput) findings(r *advisor.Report) {
	if !o.json && len(r.Findings) > 0 {
		_ = adviser.Text(o.streams.Err, r, adviser.Options{}) // who cannot read it hears the rest
	}
	o.line("check: " + adviser.Summary(r))
	for _, f := range r.Findings {
		o.object("finding", map[string]any{
			"rule": f.Rule, "severity": f.Severity, "file": f.Region.File, "line": f.Region.Line,
			"object": rollout.Object{Kind: f.Object.Kind, Namespace: f.Object.Namespace, Name: f.Object.Name}, "message": f.Message,
		})
	}
}

// plan tells what will be done.
func (o *deployOutput) plan(d *deploy.Deployment) {
	var parts []string
	for _, e := range d.Entries {
		switch e.Expected() {
		case deploy.Created:
			parts = append(parts, e.String()+" is new")
		case deploy.Configured:
			parts = append(parts, e.String()+" changes")
		default:
			parts = append(parts, e.String()+" unchanged")
		}
	}
	o.line("plan: " + strings.Join(parts, ", "))
}

// event tells what was done with an object.
func (o *deployOutput) event(e deploy.Event) {
	name := ""
	fields := map[string]any{}
	if e.Object != nil {
		name = e.Object.String() + " "
		fields["object"] = objectOf(e.Object)
	}
	switch e.Kind {
	case "applied":
		text := name + string(e.Result)
		if generation := e.Entry.After.GetGeneration(); generation > 0 && e.Result == deploy.Configured {
			text += fmt.Sprintf(" (generation %d)", generation)
		}
		o.line(text)
		fields["result"], fields["resourceVersion"] = e.Result, e.Entry.After.GetResourceVersion()
		if generation := e.Entry.After.GetGeneration(); generation > 0 {
			fields["generation"] = generation
		}
	case "warning":
		terminal.Print(o.streams.Err, "Warning: "+name+printable.Line(e.Text))
		fields["text"] = e.Text
	case "pruned":
		o.line(e.Text + " pruned")
		fields["name"] = e.Text
	default:
		o.line(name + printable.Line(e.Text))
		fields["text"] = e.Text
	}
	if e.Kind == "undone" {
		delete(fields, "text")
		fields["result"] = e.Text
	}
	o.object(e.Kind, fields)
}

func objectOf(d *deploy.Object) rollout.Object {
	return rollout.Object{APIVersion: d.GetAPIVersion(), Kind: d.GetKind(), Namespace: d.GetNamespace(), Name: d.GetName()}
}

// conflicts tells programs who keeps which field.
func (o *deployOutput) conflicts(e *deploy.ConflictError) {
	for _, c := range e.Conflicts {
		field := map[string]any{"field": c.Field, "manager": c.Manager}
		if c.Subresource != "" {
			field["subresource"] = c.Subresource
		}
		if !c.Since.IsZero() {
			field["operation"], field["since"] = c.Operation, c.Since.UTC().Format(time.RFC3339)
		}
		o.object("conflict", map[string]any{"object": objectOf(c.Object), "fields": []any{field}})
	}
}

// note is a remark.
func (o *deployOutput) note(text string) {
	o.line(text)
	o.object("note", map[string]any{"text": text})
}

// lost says since when the server is not heard, or that it is again. The picture stays as it was.
func (o *deployOutput) lost(loss *deploy.Loss) {
	switch {
	case loss == nil:
		o.erase()
		o.note("the server answers again, after " + seconds(time.Since(o.lostAt)))
	case o.live():
		o.lostAt = loss.Since
		text := fmt.Sprintf("the server is not heard since %s, and is asked again: %s", seconds(time.Since(loss.Since)), printable.Line(loss.Err.Error()))
		o.draw(append(slices.Clone(o.picture), printable.Fit(text, terminalWidth(o.streams))))
	default:
		o.lostAt = loss.Since
		o.note(fmt.Sprintf("the server is not heard since %s, and is asked again: %s", loss.Since.Format(time.TimeOnly), printable.Line(loss.Err.Error())))
	}
}

// seconds is a duration in whole seconds.
func seconds(d time.Duration) string { return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds())) }

// show tells how the rollout is.
func (o *deployOutput) show(results []rollout.Result, now time.Time) {
	if o.live() {
		o.picture = render.Live(results, now.Add(-time.Since(o.begun)), terminalWidth(o.streams))
		o.draw(o.picture)
		return
	}
	if len(o.before) != len(results) {
		o.before = make([]rollout.Result, len(results))
	}
	for i := range results {
		if o.json {
			for _, object := range render.JSON(&o.before[i], &results[i]) {
				o.write(object)
			}
		} else {
			for _, text := range render.Changes(&o.before[i], &results[i]) {
				o.line(text)
			}
		}
	}
	o.before = results
}

// draw puts a picture in the place of the one before. What is higher than the terminal loses its
// end.
func (o *deployOutput) draw(lines []string) {
	if _, height, err := term.GetSize(int(o.file.Fd())); err == nil && len(lines) >= height {
		lines = lines[:max(height-1, 0)]
	}
	o.erase()
	for _, text := range lines {
		fmt.Fprintf(o.file, "%s\r\n", printable.Line(text))
	}
	o.drawn = len(lines)
}

// erase takes the picture away.
func (o *deployOutput) erase() {
	if o.drawn > 0 {
		fmt.Fprintf(o.file, "\x1b[%dA\x1b[J", o.drawn)
	}
	o.drawn = 0
}

// followed leaves the last picture where it is; what is shown next is of other workloads.
func (o *deployOutput) followed() { o.drawn, o.before = 0, nil }

// verdicts tells how each workload ended, and returns the exit code of all.
func (o *deployOutput) verdicts(results []rollout.Result) (code int) {
	for _, r := range results {
		if r.Verdict == nil {
			continue
		}
		lines := render.Verdict(&r)
		if r.Verdict.Outcome == rollout.IsUp && !o.live() {
			lines = lines[1:] // which was a line of its own
		}
		if !o.json {
			for _, text := range lines {
				terminal.Print(o.streams.Err, text)
			}
		}
		if code == ExitOK || r.Verdict.Exit == ExitFailed {
			code = r.Verdict.Exit
		}
	}
	return code
}

// notApplied tells object by object what is applied, and what is not.
func (o *deployOutput) notApplied(d *deploy.Deployment) {
	for _, e := range d.Entries {
		switch e.Result {
		case deploy.NotApplied:
			o.line(e.String() + " not applied")
		case deploy.Unknown:
			o.line(e.String() + " unknown: its request was sent, and not answered")
		case deploy.Refused:
			o.line(e.String() + " refused")
		}
	}
}

// end tells programs how it ended.
func (o *deployOutput) end(code int, d *deploy.Deployment, err error) {
	lists := map[string][]string{"applied": {}, "notApplied": {}, "unknown": {}}
	if d != nil {
		for _, e := range d.Entries {
			list := "applied"
			switch e.Result {
			case deploy.NotApplied, deploy.Refused:
				list = "notApplied"
			case deploy.Unknown:
				list = "unknown"
			}
			lists[list] = append(lists[list], e.String())
		}
	}
	fields := map[string]any{"exit": code}
	for name, list := range lists {
		slices.Sort(list)
		fields[name] = list
	}
	if err != nil && err.Error() != "" {
		fields["error"] = err.Error()
	}
	if reason := endReason(err); reason != "" {
		fields["reason"] = reason
	}
	o.object("end", fields)
}

// endReason is in one word, for programs, why a deployment was not carried out; "" if no such word
// is needed, or it has none of these.
func endReason(err error) string {
	_, unheard := errors.AsType[*kube.UnheardError](err)
	_, conflict := errors.AsType[*deploy.ConflictError](err)
	_, found := errors.AsType[*deploy.FoundError](err)
	switch {
	case found:
		return "findings"
	case unheard:
		return "unreachable"
	case apierrors.IsUnauthorized(err):
		return "unauthorized"
	case conflict:
		return "conflict"
	case errors.Is(err, deploy.ErrInterrupted):
		return "interrupted"
	}
	return ""
}
