package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/probity-run/probity/internal/apiserver"
)

// drillHandler is what has the system drilled for clients; nil if nothing does.
func (s *System) drillHandler() http.Handler {
	if s.opts.Drill == nil {
		return nil
	}
	return s.opts.Drill(s)
}

// maxRefusal bounds what is read of why a request is refused.
const maxRefusal = 64 << 10

// RequestDrill asks the run of a state folder for a drill of it. What is asked for is in body, the
// answer is that of [Options.Drill], and both go on at the same time; whoever gets the answer
// closes it. The error is an [*InputError] if the run refuses, and nothing was done.
func RequestDrill(ctx context.Context, dir string, body io.Reader) (answer io.ReadCloser, err error) {
	client, url, err := connect(dir)
	if err != nil {
		return nil, &InputError{fmt.Errorf("cannot reach the run: %w", err)}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+apiserver.DrillPath, body)
	if err != nil {
		return nil, err
	}
	request.Close = true // nothing else is asked of it
	response, err := client.Do(request)
	if err != nil {
		return nil, &InputError{fmt.Errorf("cannot reach the run: %w", err)}
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	defer response.Body.Close() // it was only read
	if response.StatusCode == http.StatusNotFound {
		return nil, &InputError{errors.New("the run takes no drills, as it is of another version of Probity: stop it and start it again")}
	}
	why, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if err != nil {
		return nil, fmt.Errorf("the run answers %s: %w", response.Status, err)
	}
	return nil, &InputError{errors.New(string(why))}
}
