package process

import "syscall"

// killWithParent has the kernel kill a process when the thread that starts it ends, as it does when
// this process is killed.
func killWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }
