//go:build !linux

package probe

import (
	"errors"
	"os/exec"
)

// reap waits for the leader and then kills what is left of its group. These systems cannot reliably wait without
// reaping, so for an instant the number of an empty group could be given to another one; numbers are not reused
// that soon.
func (p *localProcess) reap() error {
	err := p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
	_ = killGroup(p.cmd.Process.Pid) // the leader's end is the result, whatever its children are up to
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil
	}
	return err
}
