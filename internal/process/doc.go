// Package process runs operating system processes the way a container runtime runs containers: it
// starts them, signals them, captures their output, finds out which sockets they listen on, and
// leaves nothing of them behind.
//
// # The shepherd
//
// On Linux every process is a child of the shepherd: a second process of the same binary, in a
// session of its own. [Shepherd] is Probity's side of it; requests and reports go over one socket.
// The shepherd and every process that it starts are child sub-reapers: when a process ends, the
// kernel gives its children, which are then called orphans, to the nearest sub-reaper above. From
// this follow four promises:
//
//  1. Whatever a started process forks, daemonises or puts into a session of its own stays its
//     descendant, as under PID 1 of a container. The process tree of a container is therefore the
//     tree of parents and children, exactly, whatever the descendants do to their group, session or
//     environment.
//  2. When a started process ends, its orphans become children of the shepherd. The shepherd has no
//     other children than those that it started and orphans, so it kills and reaps the orphans
//     without guessing, and only then reports the exit.
//  3. When Probity ends, even by SIGKILL, its end of the socket closes, and the shepherd kills
//     everything and ends too.
//  4. When the shepherd is killed, its direct children die by their parent death signal, and their
//     orphans become children of Probity, which made itself a sub-reaper with [BecomeSubreaper],
//     and are killed and reaped there.
//
// Not covered, unless there is a reaper ([ShepherdOptions].Reaper): Probity and the shepherd being
// killed in the same instant (the started processes still die, what they have forked stays). Not
// covered at all: programs that run under another user than Probity, which may not be signalled; a
// program that gives up being a sub-reaper by prctl.
//
// # Faults
//
// A [Fault] is done to a process tree on purpose, and undone by the shepherd: when it is told to,
// at the fault's deadline, or, as all of the tree is killed, when Probity is gone. So nothing is
// left stopped or limited. The goroutine that reaps the children does the faults, too, so that none
// meets a process that was given the number of a dead one.
//
// # Namespaces
//
// Processes can share a [Namespace]: a host name and some files of their own, which nobody outside
// sees. The first process of a key makes it between fork and execve and waits until the shepherd
// has opened /proc/PID/ns; later ones join by setns, so it needs no process that keeps it. A plain
// user needs a user namespace for that, which takes some things from a program
// (docs/differences.md). All promises above hold inside.
//
// # Connects
//
// Whoever starts a process can have its connections led elsewhere, see [Spec.Connects]: a seccomp
// filter, which what it forks inherits, reports connect(2). The program waits until its own socket
// is connected for it; one that does not block gets EINPROGRESS, and one that blocks can be
// interrupted and killed, as without. What is no business of anybody's, or cannot be read, the
// kernel carries out. Datagrams of sockets without a connection are reported, too, and may be kept:
// they leave by the program's own socket later, or never, as their answers have to come from whom
// the program has asked.
//
// # Differences from a shell
//
// Standard input is /dev/null, unless somebody uses the process through a [Console]. Signals have
// their default action and none is blocked. No descriptor but the standard three is inherited. The
// soft limit for open files equals the hard one, as the Go runtime has set it for Probity. A daemon
// becomes a child of the started process when its own parent ends, as under PID 1 of a container:
// one that never waits for it collects zombies until it ends.
//
// On systems other than Linux, [GroupStarter] does the same without a shepherd: the process group
// is killed, daemons that left it are not found.
package process
