package service

// A RolloutStrategy is how a new version takes the place of the old one.
type RolloutStrategy interface{ rolloutStrategy() }

// Rolling replaces some replicas after others, as a Deployment does: the surge is rounded up,
// what may be unavailable is rounded down.
type Rolling struct {
	// MaxUnavailablePercentage is how many of the replicas may be missing meanwhile, in percent;
	// with 100 nobody answers at every rollout. Default 25.
	MaxUnavailablePercentage *int `yaml:"max_unavailable_percentage"`
	// MaxSurgePercentage is how many there may be besides, in percent; with 0 and one replica every
	// rollout is an outage. Default 25.
	MaxSurgePercentage *int `yaml:"max_surge_percentage"`
}

// Canary sends a part of the requests to the new version first. Here it is a Rolling.
type Canary struct {
	Steps []CanaryStep `yaml:"steps"`
}

// CanaryStep is a weight, and how long it stays: PauseDuration in seconds, until somebody goes on
// if that is 0.
type CanaryStep struct {
	WeightPercentage int `yaml:"weight_percentage,always"`
	PauseDuration    int `yaml:"pause_duration"`
}

// BlueGreen switches over at once, when all of the new version is there. Here it is a Rolling.
type BlueGreen struct {
	EnableAutoPromotion  bool `yaml:"enable_auto_promotion"`
	AutoPromotionSeconds int  `yaml:"auto_promotion_seconds"`
}

func (Rolling) rolloutStrategy()   {}
func (Canary) rolloutStrategy()    {}
func (BlueGreen) rolloutStrategy() {}

// A Mount is a file or a folder that the program finds.
type Mount interface{ mount() }

// SecretMount is a file with a secret.
type SecretMount struct {
	// MountPath is the path of the file. Required.
	MountPath string `yaml:"mount_path"`
	// SecretFQN names it: tfy-secret://TENANT:GROUP:KEY. Required.
	SecretFQN string `yaml:"secret_fqn"`
}

// StringDataMount is a file with a text.
type StringDataMount struct {
	// MountPath is the path of the file. Required.
	MountPath string `yaml:"mount_path"`
	// Data is the text; an empty file has none.
	Data string `yaml:"data,always"`
}

// VolumeMount is a folder that outlives a replica.
type VolumeMount struct {
	// MountPath is the path of the folder. Required.
	MountPath string `yaml:"mount_path"`
	// SubPath is a folder of the volume. Default: all of it.
	SubPath string `yaml:"sub_path"`
	// VolumeFQN names it: tfy-volume://CLUSTER:WORKSPACE:NAME, the claim NAME. Required.
	VolumeFQN string `yaml:"volume_fqn"`
}

func (SecretMount) mount()     {}
func (StringDataMount) mount() {}
func (VolumeMount) mount()     {}
