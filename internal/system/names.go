package system

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/names"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// Names is how the programs of Pods find each other by name.
type Names string

const (
	// NamesAuto gives Pods a hosts file and a host name of their own where the kernel lets it, if
	// there are Services or the Pod asks for names. It is the default.
	NamesAuto Names = "auto"
	// NamesEnv changes no file: it puts working addresses into those variables of the manifests
	// that name a Service.
	NamesEnv Names = "env"
	// NamesOff does neither.
	NamesOff Names = "off"
)

// namespaceMaker is the part of a [process.Shepherd] that makes namespaces.
type namespaceMaker interface {
	TryNamespace(process.Namespace) error
	ForgetNamespace(key string) error
}

// hostNames are the hosts files of the Pods, and implement [node.Names]. A file is written before
// the Pod's first process starts, and again when Services or their endpoints change.
type hostNames struct {
	mode    Names
	store   *store.Store
	shep    namespaceMaker
	dir     string // of the files
	host    hostFiles
	resolve func(ctx context.Context, name string) ([]netip.Addr, error)
	notice  func(string)
	log     *slog.Logger

	// what keeps namespaces from being made, nil if nothing; and what every Pod's has besides its
	// hosts file
	try   func() error
	binds []process.Bind // of try
	disks bool           // Pods with volumes that can be disks have a namespace for them

	mu       sync.Mutex // guards what follows
	pods     map[types.UID]*podHosts
	records  []names.Record
	external map[string][]netip.Addr
	said     map[string]bool
}

// podHosts is the hosts file of a Pod.
type podHosts struct {
	pod  *corev1.Pod
	own  names.Hostname
	file *os.File
	text string
	size int
}

func newHostNames(mode Names, objects *store.Store, shep namespaceMaker, dir string, opts Options) *hostNames {
	if mode == "" {
		mode = NamesAuto
	}
	n := &hostNames{
		mode: mode, store: objects, shep: shep, dir: dir, host: thisHost(), resolve: lookUp, notice: opts.Notice, log: opts.Logger,
		pods: map[types.UID]*podHosts{}, external: map[string][]netip.Addr{}, said: map[string]bool{},
	}
	n.try = sync.OnceValue(n.tryNamespace)
	return n
}

// Prepare implements [node.Names].
func (n *hostNames) Prepare(pod *corev1.Pod) (node.PodNames, error) {
	own, err := names.HostnameOf(pod, n.host.name)
	if err != nil {
		return node.PodNames{}, err
	}
	prepared := node.PodNames{Hostname: own.Kernel}
	if n.mode != NamesAuto || !n.wantsFile(pod) || n.try() != nil {
		return prepared, nil
	}
	path, err := n.add(pod, own)
	if err != nil {
		return node.PodNames{}, fmt.Errorf("cannot make the Pod's hosts file: %w", err)
	}
	namespace := &process.Namespace{Key: string(pod.UID), Hostname: own.Kernel, Binds: append([]process.Bind{{Source: path, Target: hostsPath}}, n.binds...)}
	if pod.Spec.HostNetwork && pod.Spec.HostnameOverride == nil {
		namespace.Hostname = ""
	}
	prepared.Namespace = namespace
	return prepared, nil
}

// wantsFile reports whether a Pod would see something else in a hosts file of its own.
func (n *hostNames) wantsFile(pod *corev1.Pod) bool {
	wants := n.disks && node.HasDisks(pod) || names.WantsFile(&pod.Spec, len(n.services()) > 0)
	return wants && pod.Annotations[manifest.AnnotationNames] != manifest.NamesOff
}

func (n *hostNames) services() []*corev1.Service {
	services, _ := store.List[*corev1.Service](n.store, store.Selector{})
	return services
}

// add writes the hosts file of a new Pod and keeps it up to date from then on.
func (n *hostNames) add(pod *corev1.Pod, own names.Hostname) (path string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	path = filepath.Join(n.dir, string(pod.UID))
	// Everybody who may run in the Pod may read it, as in a container.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return "", err
	}
	if err := file.Chmod(0o644); err != nil { // whatever the umask
		return "", errors.Join(err, file.Close())
	}
	p := &podHosts{pod: pod, own: own, file: file}
	// n.records stays: it is what all Pods were told, and the next refresh compares with it.
	if err := p.write(n.currentRecords(), n.host.hosts()); err != nil {
		return "", errors.Join(err, file.Close())
	}
	n.pods[pod.UID] = p
	return path, nil
}

// write brings the file up to date. Who reads it finds it whole: it is written at once, in place,
// because a mount would not see another file of that name.
func (p *podHosts) write(records []names.Record, machine string) error {
	text := names.HostsFile(p.pod, p.ips(), p.own, records, machine)
	if text == p.text {
		return nil
	}
	padded := names.Padded(text, p.size)
	if _, err := p.file.WriteAt(padded, 0); err != nil {
		return err
	}
	p.text, p.size = text, len(padded)
	return nil
}

func (p *podHosts) ips() (ips []string) {
	for _, ip := range p.pod.Status.PodIPs {
		ips = append(ips, ip.IP)
	}
	if len(ips) == 0 {
		return []string{"127.0.0.1"}
	}
	return ips
}

// Release implements [node.Names].
func (n *hostNames) Release(pod *corev1.Pod) error {
	n.mu.Lock()
	p := n.pods[pod.UID]
	delete(n.pods, pod.UID)
	n.mu.Unlock()
	if p == nil {
		return nil
	}
	err := n.shep.ForgetNamespace(string(pod.UID))
	if errors.Is(err, process.ErrShepherdGone) {
		err = nil // and its namespaces with it
	}
	return errors.Join(err, p.file.Close(), os.Remove(p.file.Name()))
}
