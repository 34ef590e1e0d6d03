//go:build !traffic

package traffic

import "time"

// size of the scenarios in the normal suite: what happens happens once. Nothing here depends on how fast the machine is.
func size() length { return length{atLeast: time.Second, requests: 200, slack: 2 * time.Second} }
