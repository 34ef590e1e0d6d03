//go:build !traffic

package traffic

import "time"

// size of the scenarios in the normal suite: what happens happens once. Nothing here depends on how
// fast the machine is.
func size() length { return length{atLeast: time.Second, requests: 200, slack: 2 * time.Second} }

// crashes are measured, and leaves bounds their median. A machine that does other things proves
// nothing but that the replica leaves.
const (
	crashes = 1
	leaves  = 10 * time.Second
)
