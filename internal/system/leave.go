package system

import "time"

// leaveTime is how long [System.Leave] leaves the killing to the shepherd.
const leaveTime = time.Second

// Leave kills what is left without waiting for anything that may be stuck, for when Abort has not
// ended the system soon. The process has to end then; nothing of the system can be used.
func (s *System) Leave() {
	left := make(chan struct{})
	go func() {
		_ = s.shepherd.CloseWithin(leaveTime) // nobody could use the reason
		close(left)
	}()
	select {
	case <-left:
	case <-time.After(2 * leaveTime):
	}
}
