package service

// Resources are what a replica is given at least, and at most. A limit may not be below its
// request.
type Resources struct {
	// CPURequest and CPULimit are in cores. Defaults 0.2 and 0.5.
	CPURequest float64 `yaml:"cpu_request"`
	CPULimit   float64 `yaml:"cpu_limit"`
	// MemoryRequest and MemoryLimit are in MB, of a million bytes. Defaults 200 and 500.
	MemoryRequest int `yaml:"memory_request"`
	MemoryLimit   int `yaml:"memory_limit"`
	// EphemeralStorageRequest and EphemeralStorageLimit are in MB. Defaults 1000 and 2000.
	EphemeralStorageRequest int `yaml:"ephemeral_storage_request"`
	EphemeralStorageLimit   int `yaml:"ephemeral_storage_limit"`
	// SharedMemorySize is that of /dev/shm, in MB. Default: none.
	SharedMemorySize int `yaml:"shared_memory_size"`
	// Node is a [NodeSelector] or a [NodepoolSelector]. It is not applied.
	Node Node `yaml:"node"`
	// Devices are an [NvidiaGPU], which becomes a limit, and [OtherDevice]s, which are not applied.
	Devices []Device `yaml:"devices"`
}

// A Node is on which machines a replica may run.
type Node interface{ node() }

// NodeSelector names kinds of machines.
type NodeSelector struct {
	InstanceFamilies []string `yaml:"instance_families"`
	// CapacityType is "spot_fallback_on_demand", "spot" or "on_demand".
	CapacityType string `yaml:"capacity_type"`
}

// NodepoolSelector names pools of machines.
type NodepoolSelector struct {
	Nodepools []string `yaml:"nodepools"`
}

func (NodeSelector) node()     {}
func (NodepoolSelector) node() {}

// A Device is a piece of hardware.
type Device interface{ device() }

// NvidiaGPU are whole GPUs.
type NvidiaGPU struct {
	// Name is that of the model, "T4". Default: any.
	Name string `yaml:"name"`
	// Count is how many. Required.
	Count int `yaml:"count"`
}

// OtherDevice is one of the types that Kubernetes has no common name for.
type OtherDevice struct {
	// Type is "nvidia_mig_gpu", "nvidia_timeslicing_gpu", "aws_inferentia" or "gcp_tpu". Required.
	Type     string `yaml:"type"`
	Name     string `yaml:"name"`
	Count    int    `yaml:"count"`
	Profile  string `yaml:"profile"`
	TPUType  string `yaml:"tpu_type"`
	Topology string `yaml:"topology"`
	NodePool string `yaml:"node_pool"`
}

func (NvidiaGPU) device()   {}
func (OtherDevice) device() {}
