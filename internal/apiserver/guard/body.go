package guard

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// limitBody bounds the body of a request, or refuses one that says that it is too long. The answer
// can take longer than the body may: net/http lifts the deadline with the body's last byte.
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
	r.Body = http.MaxBytesReader(w, r.Body, limits.BodyBytes)
	return nil
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
