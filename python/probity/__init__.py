"""Services with health checks, as Python objects: run here under Kubernetes' probes, or brought to a cluster.

The names and fields are those of TrueFoundry's `truefoundry.deploy`, so that a deploy.py works after its import line was changed. What a service
means, and everything that is done with it, is done by the program probity; this package checks forms and names, and puts its words into Python.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, NoReturn

from ._deployment import Deployed, Finding
from ._suggest import hint
from .elsewhere import (
    AMQPInputConfig, AMQPOutputConfig, ApplicationSet, AsyncProcessorSidecar, AsyncService, AsyncServiceAutoscaling, DynamicVolumeConfig, GitHelmRepo,
    Helm, HelmRepo, Job, KafkaInputConfig, KafkaOutputConfig, Manual, ModelDeployment, NATSInputConfig, NATSOutputConfig, Notebook, OCIRepo, Param,
    SQSInputConfig, SQSOutputConfig, SSHServer, Schedule, StaticVolumeConfig, Volume, VolumeBrowser, WorkerConfig, Workflow, get_application,
    trigger_job,
)
from .errors import InvalidError, NotReadyError, NotRunHereError, Place, ProbityError, Problem, ProgramMissingError, RefusedError, UnreachableError
from .images import UV, Build, DockerFileBuild, GitSource, Image, LocalSource, Pip, Poetry, PythonBuild, RemoteSource
from .mounts import SecretMount, StringDataMount, VolumeMount
from .ports import AppProtocol, BasicAuthCreds, JwtAuthConfig, Port, TrueFoundryInteractiveLogin
from .probes import CommandProbe, ExecProbe, GrpcProbe, HealthProbe, HttpProbe, TcpProbe
from .replicas import (
    Autoscaling, BlueGreen, Canary, CanaryStep, CPUUtilizationMetric, CronMetric, Rolling, RPSMetric, ServiceAutoscaling,
)
from .resources import (
    AWSInferentia, CapacityType, GcpTPU, GPUType, NodepoolSelector, NodeSelector, NvidiaGPU, NvidiaMIGGPU, NvidiaTimeslicingGPU, Resources,
)
from .service import Service
from .unapplied import ArtifactsCacheVolume, ArtifactsDownload, AutoShutdown, HuggingfaceArtifactSource, Kustomize, TrueFoundryArtifactSource

TruefoundryArtifactSource = TrueFoundryArtifactSource  # as it was written before

__all__ = [
    "AMQPInputConfig", "AMQPOutputConfig", "AWSInferentia", "AppProtocol", "ApplicationSet", "ArtifactsCacheVolume", "ArtifactsDownload",
    "AsyncProcessorSidecar", "AsyncService", "AsyncServiceAutoscaling", "AutoShutdown", "Autoscaling", "BasicAuthCreds", "BlueGreen", "Build",
    "CPUUtilizationMetric", "Canary", "CanaryStep", "CapacityType", "CommandProbe", "CronMetric", "Deployed", "DockerFileBuild",
    "DynamicVolumeConfig", "ExecProbe", "Finding", "GPUType", "GcpTPU", "GitHelmRepo", "GitSource", "GrpcProbe", "HealthProbe", "Helm", "HelmRepo",
    "HttpProbe", "HuggingfaceArtifactSource", "Image", "InvalidError", "Job", "JwtAuthConfig", "KafkaInputConfig", "KafkaOutputConfig", "Kustomize",
    "LocalSource", "Manual", "ModelDeployment", "NATSInputConfig", "NATSOutputConfig", "NodeSelector", "NodepoolSelector", "NotReadyError",
    "NotRunHereError", "Notebook", "NvidiaGPU", "NvidiaMIGGPU", "NvidiaTimeslicingGPU", "OCIRepo", "Param", "Pip", "Place", "Poetry", "Port",
    "ProbityError", "Problem", "ProgramMissingError", "PythonBuild", "RPSMetric", "RefusedError", "RemoteSource", "Resources", "Rolling",
    "SQSInputConfig", "SQSOutputConfig", "SSHServer", "Schedule", "SecretMount", "Service", "ServiceAutoscaling", "StaticVolumeConfig",
    "StringDataMount", "TcpProbe", "TrueFoundryArtifactSource", "TrueFoundryInteractiveLogin", "TruefoundryArtifactSource", "UV", "UnreachableError",
    "Volume", "VolumeBrowser", "VolumeMount", "WorkerConfig", "Workflow", "get_application", "trigger_job",
]

if not TYPE_CHECKING:  # a type checker has to see that a name is not there

    def __getattr__(name: str) -> NoReturn:
        """Refuse an unknown name with what was probably meant; an import line with all its unknown names at once."""
        frame = sys._getframe(1)
        importing = frame.f_globals.get("__name__") == "importlib._bootstrap"
        if not importing or importlib.util.find_spec(f"{__name__}.{name}") is not None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint(name, __all__)}")
        names = [n for n in frame.f_locals.get("fromlist", [name]) if n not in globals()]
        unknown = "; ".join(f"there is no {n}{hint(n, __all__)}" for n in names)
        raise ImportError(f"cannot import from probity: {unknown}", name=name) from None
