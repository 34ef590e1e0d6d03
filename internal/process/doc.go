// Package process runs operating system processes the way a container runtime
// runs containers: it starts them, signals them, captures what they print,
// tells which sockets they listen on, and leaves nothing of them behind.
//
// # The shepherd
//
// On Linux every process is a child of the [Shepherd], a second process of the
// same binary in a session of its own. Its promises:
//
//  1. A process started by it is a child sub-reaper: what it forks, daemonises
//     or puts into a session of its own stays its descendant, as under PID 1 of
//     a container. The tree of a container is therefore its parent chain,
//     exactly, whatever the descendants do to their group, session or
//     environment.
//  2. When a started process ends, all that it leaves becomes a child of the
//     shepherd. The shepherd has no other children than those it started and
//     those leavings, so it kills and reaps the latter without guessing, and
//     only then reports the exit.
//  3. When Probity ends, be it by SIGKILL, its end of the socket closes, and the
//     shepherd kills everything and ends too.
//  4. When the shepherd is killed, its direct children die by their parent death
//     signal, and whatever they leave arrives at Probity, which made itself a
//     sub-reaper with [BecomeSubreaper], and is killed and reaped there.
//
// Not covered: Probity and the shepherd being killed in the same instant (the
// started processes still die, what they have forked stays); programs that run
// under another user than Probity, which may not be signalled; a program that
// gives up being a sub-reaper by prctl.
//
// # Differences from a shell
//
// Standard input is /dev/null. Signals have their default action and none is
// blocked. No descriptor but the standard three is inherited. The soft limit for
// open files equals the hard one, as the Go runtime has set it for Probity. A
// daemon becomes a child of the started process when its own parent ends, as under
// PID 1 of a container: one that never waits for it collects zombies until it ends.
//
// On systems other than Linux, [Plain] does the same without a shepherd: the
// process group is killed, daemons that left it are not found.
package process
