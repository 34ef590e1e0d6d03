"""What a service runs: an image, or what is built. Here no image is pulled or built: its command runs as a process."""

from __future__ import annotations

from typing import Any, ClassVar, Mapping, Optional, Sequence, Union

from ._objects import Object, described

__all__ = ["Build", "DockerFileBuild", "GitSource", "Image", "LocalSource", "Pip", "Poetry", "PythonBuild", "RemoteSource", "UV"]

_BUILD = "write type: build, build_source: {type: local}, build_spec: {type: dockerfile}"
_GIT = "write type: git, repo_url: …, ref: …, branch_name: …"

Command = Union[str, Sequence[str]]
Value = Union[str, int, float, bool, None]


@described
class Image(Object):
    """An image that is there already."""

    image_uri: str
    """Its name, with a tag or a digest."""
    docker_registry: Optional[str] = None
    """The registry integration that it is pulled with. Not used here."""
    command: Optional[Command] = None
    """The command, as a list of words, or as a string that is split as a shell does it. No shell runs it."""
    type: str = "image"

    slips: ClassVar[Mapping[str, str]] = {
        "uri": "write image_uri", "image": "write image_uri", "build": _BUILD, "repository": "write image_uri", "tag": "it is a part of image_uri",
    }


@described
class LocalSource(Object):
    """Sources in a folder of this machine."""

    project_root_path: str = "./"
    """The folder, from where the program runs."""
    local_build: bool = True
    """Whether the image is built on this machine. Not used here."""
    type: str = "local"


@described
class GitSource(Object):
    """Sources in a git repository."""

    repo_url: str
    """Where the repository is."""
    ref: str
    """The commit."""
    branch_name: Optional[str] = None
    """The branch that the commit is on."""
    type: str = "git"

    slips: ClassVar[Mapping[str, str]] = {"branch": _GIT, "repo": _GIT, "url": _GIT, "commit": _GIT}


@described
class RemoteSource(Object):
    """Sources in an archive."""

    remote_uri: str
    """Where the archive is."""
    type: str = "remote"


@described
class DockerFileBuild(Object):
    """What a Dockerfile says. What its CMD is, is not read here: give the command."""

    dockerfile_path: str = "./Dockerfile"
    """Where it is, from the sources."""
    build_context_path: str = "./"
    """The folder of the build, from the sources."""
    command: Optional[Command] = None
    """The command that stands in the place of the image's."""
    build_args: Optional[Mapping[str, Value]] = None
    """Values of ARG."""
    build_secrets: Optional[Any] = None
    """Secrets of the build: id and value."""
    type: str = "dockerfile"

    slips: ClassVar[Mapping[str, str]] = {
        "build_context": "write build_context_path", "context": "write build_context_path", "dockerfile": "write dockerfile_path",
        "path": "write dockerfile_path",
    }


@described
class Pip(Object):
    """Dependencies that pip installs."""

    requirements_path: Optional[str] = None
    """The file that lists them."""
    pip_packages: Optional[Sequence[str]] = None
    """Packages besides it."""
    type: str = "pip"


@described
class UV(Object):
    """Dependencies that uv installs."""

    uv_version: Optional[str] = None
    """The version of uv."""
    sync_options: Optional[str] = None
    """Options of uv sync."""
    type: str = "uv"


@described
class Poetry(Object):
    """Dependencies that Poetry installs."""

    poetry_version: Optional[str] = None
    """The version of Poetry."""
    install_options: Optional[str] = None
    """Options of poetry install."""
    type: str = "poetry"


@described
class PythonBuild(Object):
    """Python sources with their dependencies."""

    command: Command
    """The command, as a list of words, or as a string that is split as a shell does it. No shell runs it."""
    python_version: Optional[str] = None
    """The version of Python. Here it is the one that the command finds."""
    build_context_path: str = "./"
    """The folder of the build, from the sources."""
    requirements_path: Optional[str] = None
    """Deprecated: python_dependencies."""
    pip_packages: Optional[Sequence[str]] = None
    """Deprecated: python_dependencies."""
    python_dependencies: Union[Pip, UV, Poetry, None] = None
    """What is installed."""
    apt_packages: Optional[Sequence[str]] = None
    """Debian packages that are installed."""
    cuda_version: Optional[Any] = None
    """The version of CUDA."""
    type: str = "tfy-python-buildpack"

    slips: ClassVar[Mapping[str, str]] = {"build_context": "write build_context_path", "context": "write build_context_path"}


@described
class Build(Object):
    """An image that is built of sources."""

    build_spec: Union[DockerFileBuild, PythonBuild]
    """How it is built."""
    build_source: Union[LocalSource, GitSource, RemoteSource, None] = None
    """Of what; a folder of this machine if it is left out."""
    docker_registry: Optional[str] = None
    """The registry integration that it is pushed with. Not used here."""
    type: str = "build"

    slips: ClassVar[Mapping[str, str]] = {
        "build": _BUILD, "dockerfile_path": "it belongs in build_spec", "command": "it belongs in build_spec",
        "image_uri": "an image that is there has type: image",
    }
