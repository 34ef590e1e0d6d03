package service

// An ImageSource is what runs: an [Image] or a [Build].
type ImageSource interface{ imageSource() }

// Image is one that is there.
type Image struct {
	// ImageURI is its name: "registry.example.com/web:1". Required.
	ImageURI string `yaml:"image_uri"`
	// DockerRegistry is the integration with which TrueFoundry pulls it. It is not applied.
	DockerRegistry string `yaml:"docker_registry"`
	// Command are the program and its arguments; no shell reads them, and $(NAME) is replaced from
	// Env. Where nothing pulls images, as in probity run, it is what runs. Default: that of the
	// image.
	Command []string `yaml:"command"`
}

// Build is an image that TrueFoundry builds. Nothing is built here: the image is called as the
// service is, and where programs run without images, its command does.
type Build struct {
	// DockerRegistry is where TrueFoundry pushes it. It is not applied.
	DockerRegistry string `yaml:"docker_registry"`
	// BuildSource is a [LocalSource], a [GitSource] or a [RemoteSource]. Default: LocalSource.
	BuildSource BuildSource `yaml:"build_source"`
	// BuildSpec is a [DockerFileBuild] or a [PythonBuild]. Required.
	BuildSpec BuildSpec `yaml:"build_spec"`
}

func (Image) imageSource() {}
func (Build) imageSource() {}

// A BuildSource is where the source code is.
type BuildSource interface{ buildSource() }

// LocalSource is a folder.
type LocalSource struct {
	// ProjectRootPath is its path. A program that runs here runs in it, and in the BuildContextPath
	// below it. Default "./".
	ProjectRootPath string `yaml:"project_root_path"`
	// LocalBuild says where it is built. Default: true there.
	LocalBuild *bool `yaml:"local_build"`
}

// GitSource is a commit. Nothing is fetched here.
type GitSource struct {
	RepoURL    string `yaml:"repo_url"`
	Ref        string `yaml:"ref"`
	BranchName string `yaml:"branch_name"`
}

// RemoteSource is an archive. Nothing is fetched here.
type RemoteSource struct {
	RemoteURI string `yaml:"remote_uri"`
}

func (LocalSource) buildSource()  {}
func (GitSource) buildSource()    {}
func (RemoteSource) buildSource() {}

// A BuildSpec is how an image is built.
type BuildSpec interface{ buildSpec() }

// DockerFileBuild builds by a Dockerfile.
type DockerFileBuild struct {
	// DockerfilePath is not applied. Default "./Dockerfile" there.
	DockerfilePath string `yaml:"dockerfile_path"`
	// BuildContextPath is a folder below that of the source. Default "./".
	BuildContextPath string `yaml:"build_context_path"`
	// Command is as in [Image]. Default: that of the Dockerfile, which probity run cannot know.
	Command []string `yaml:"command"`
	// BuildArgs and BuildSecrets are not applied.
	BuildArgs    map[string]string `yaml:"build_args"`
	BuildSecrets []any             `yaml:"build_secrets"`
}

// PythonBuild builds from Python packages.
type PythonBuild struct {
	// Command is as in [Image]. Required.
	Command []string `yaml:"command"`
	// BuildContextPath is a folder below that of the source. Default "./".
	BuildContextPath string `yaml:"build_context_path"`
	// The others say what is installed. They are not applied.
	PythonVersion      string         `yaml:"python_version"`
	RequirementsPath   string         `yaml:"requirements_path"`
	PipPackages        []string       `yaml:"pip_packages"`
	PythonDependencies map[string]any `yaml:"python_dependencies"`
	AptPackages        []string       `yaml:"apt_packages"`
	CUDAVersion        string         `yaml:"cuda_version"`
}

func (DockerFileBuild) buildSpec() {}
func (PythonBuild) buildSpec()     {}
