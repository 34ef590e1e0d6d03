package node

import (
	"errors"
	"maps"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/program"
)

// allocation is what a Pod gets of this machine before its first process: private ports, folders
// for its volumes, and names.
type allocation struct {
	pod     *corev1.Pod
	pool    portPool
	objects program.Objects
	namer   Names
	dir     string // of the volumes
	// secretDir is where volumes of Secrets are
	secretDir string
	// drillDir is where sockets for drills are, "" for none
	drillDir string
	disks    bool // see Options.Disks

	ports   *portMap          // nil before the first ensure that had ports
	volumes map[string]string // variables; nil before the first ensure that made them
	names   *PodNames         // nil before the first ensure that had them
}

// ensure allocates what is not allocated yet.
func (a *allocation) ensure() error {
	if a.ports == nil {
		ports, err := newPortMap(a.pod, a.pool)
		if err != nil {
			return err
		}
		a.ports = ports
	}
	if a.volumes == nil {
		volumes, err := makeVolumes(a.pod, a.objects, a.dir, a.secretDir)
		if err != nil {
			return err
		}
		a.volumes = volumes
	}
	if a.names == nil {
		names, err := a.namer.Prepare(a.pod)
		if err != nil {
			return err
		}
		if a.disks && names.Namespace != nil {
			names.Namespace.Disks = disksOf(a.pod, a.dir)
		}
		a.names = &names
	}
	return nil
}

// renewPort takes another private port for a declared one. The old one is not given back before the
// Pod is gone: somebody else has it.
func (a *allocation) renewPort(declared int32) (int, error) {
	port, err := a.pool.Take()
	if err != nil {
		return 0, err
	}
	a.ports.renew(declared, port)
	return port, nil
}

// variables are what a container finds in its environment of it.
func (a *allocation) variables(c *corev1.Container) map[string]string {
	vars := a.ports.variables(c)
	maps.Copy(vars, a.volumes)
	if socket := drillSocket(a.drillDir, a.pod.UID, c.Name); socket != "" {
		vars[drillVariable] = socket
	}
	return vars
}

// release gives the ports and names back and removes the volumes.
func (a *allocation) release() error {
	if a.ports != nil {
		a.ports.release(a.pool)
	}
	var err error
	if a.names != nil {
		err = a.namer.Release(a.pod)
	}
	return errors.Join(err, os.RemoveAll(a.dir), os.RemoveAll(a.secretDir))
}

// podDir is the folder of a Pod below the state folder.
func podDir(state string, pod *corev1.Pod) string { return filepath.Join(state, podDirName(pod)) }

// podSecretDir is the folder for a Pod's volumes of Secrets.
func podSecretDir(opts Options, pod *corev1.Pod) string {
	if opts.SecretDir == "" {
		return filepath.Join(podDir(opts.Dir, pod), "secrets")
	}
	return filepath.Join(opts.SecretDir, podDirName(pod))
}

// maxPodDirName is the longest name of a Pod's folder that every file system takes.
const maxPodDirName = 255

// podDirName names a Pod's folder: as the kubelet does, but shorter where a file system would
// refuse it.
func podDirName(pod *corev1.Pod) string {
	name := pod.Name
	if over := len(pod.Namespace) + len(name) + len(pod.UID) + len("__") - maxPodDirName; over > 0 {
		name = name[:max(0, len(name)-over)]
	}
	return pod.Namespace + "_" + name + "_" + string(pod.UID)
}
