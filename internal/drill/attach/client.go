package attach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/system"
)

// endTime is how long a run may take to undo a fault and to report, once nobody wants the drill any
// more.
const endTime = 30 * time.Second

// Drill has the run of a state folder drilled, and returns what came of it. progress gets what is
// being done, a line at a time. If the context is done, the run undoes the fault of the moment and
// reports what was done so far. The error is a [*drill.InputError] if nothing was done.
func Drill(ctx context.Context, dir string, asked Request, progress func(line string)) (*drill.Report, error) {
	body, writer := io.Pipe()
	talking, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	wanted, done := context.WithCancel(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer done()
	asking.Go(func() {
		if err := json.NewEncoder(writer).Encode(asked); err != nil {
			return // nobody reads it: the answer says why
		}
		<-wanted.Done()
		_ = writer.Close() // which never fails
	})
	defer context.AfterFunc(wanted, func() { time.AfterFunc(endTime, hangUp) })()
	answer, err := system.RequestDrill(talking, dir, body)
	if err != nil {
		_ = body.CloseWithError(err) // so that nobody waits to write to it
		if input, ok := errors.AsType[*system.InputError](err); ok {
			return nil, &drill.InputError{Err: input.Err}
		}
		return nil, err
	}
	defer answer.Close() // it was only read
	for messages := json.NewDecoder(answer); ; {
		var m message
		if err := messages.Decode(&m); err != nil {
			return nil, fmt.Errorf("the run has ended, or has broken the drill off: %w", err)
		}
		if m.Report != nil {
			return m.Report, nil
		}
		progress(m.Progress)
	}
}
