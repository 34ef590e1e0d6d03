package guard

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// limitBody bounds the body of a request, or refuses one that says that it is too long.
func (g *Guard) limitBody(w http.ResponseWriter, r *http.Request) *apierrors.StatusError {
	if r.ContentLength == 0 {
		return nil
	}
	limits := g.opts.Limits
	if r.ContentLength > limits.BodyBytes {
		return tooLarge(limits.BodyBytes)
	}
	control := http.NewResponseController(w)
	if err := control.SetReadDeadline(time.Now().Add(limits.BodyTimeout)); err != nil {
		return apierrors.NewInternalError(fmt.Errorf("cannot limit how long the body takes: %w", err))
	}
	r.Body = &timedBody{ReadCloser: http.MaxBytesReader(w, r.Body, limits.BodyBytes), control: control}
	return nil
}

// timedBody is a body that has to be read before a deadline. The deadline is one of the connection,
// which it would end under an answer that takes longer, so it goes with the body's last byte.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

// Read implements [io.Reader].
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.control.SetReadDeadline(time.Time{}) // fails only if the connection has gone
	}
	return n, err
}

func tooLarge(limit int64) *apierrors.StatusError {
	return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", limit))
}

// BodyError is how to answer a request whose body could not be read because of the limits: with 413
// if it is too long, and 504, as a cluster answers, if it took too long. It is nil if the error is
// another one.
func BodyError(err error) *apierrors.StatusError {
	if long, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(long.Limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return apierrors.NewTimeoutError("the body of the request did not arrive in time", 0)
	}
	return nil
}
