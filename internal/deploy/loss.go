package deploy

import (
	"errors"
	"math"
	"time"
)

// Loss is that a server which is followed is not heard.
type Loss struct {
	// Since is when that began, by the clock of this machine.
	Since time.Time
	// Err is what one of the tries since then has met.
	Err error
}

// lossTime is how long a server is not heard before anybody is told: a connection that breaks off
// is made anew at once, and that is no news.
const lossTime = time.Second

// tellLost tells that the server is lost, or is back, and returns when that is due.
func (f *follower) tellLost(loss *Loss) (due time.Duration) {
	const never = math.MaxInt64
	if f.options.Lost == nil {
		return never
	}
	if loss == nil {
		if f.told {
			f.options.Lost(nil)
		}
		f.told = false
		return never
	}
	if left := lossTime - time.Since(loss.Since); left > 0 {
		return left
	}
	if !f.told || f.options.Redraw > 0 {
		f.options.Lost(loss)
	}
	f.told = true
	return never
}

// orTimeout is why nothing is known of a server at the end of the time that it had.
func (l *Loss) orTimeout() error {
	if l == nil {
		return errors.New("it has not told in time what it has")
	}
	return l.Err
}
