"""What a file for TrueFoundry may import and Probity does not run: it can be imported, and says so when it is used."""

from __future__ import annotations

from typing import Any, NoReturn

from .errors import NotRunHereError

_WHAT = {
    "AMQPInputConfig": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "AMQPOutputConfig": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "ApplicationSet": "a set of applications is not run here: make a Service of each",
    "AsyncProcessorSidecar": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "AsyncService": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "AsyncServiceAutoscaling": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "DynamicVolumeConfig": "a volume is not made here: VolumeMount names one",
    "GitHelmRepo": "a chart is not run here: `helm template` prints manifests, which `probity run` and `probity deploy` take",
    "Helm": "a chart is not run here: `helm template` prints manifests, which `probity run` and `probity deploy` take",
    "HelmRepo": "a chart is not run here: `helm template` prints manifests, which `probity run` and `probity deploy` take",
    "Job": "a job is not run here: `probity run --until complete` runs a Pod to its end",
    "KafkaInputConfig": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "KafkaOutputConfig": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "Manual": "jobs, and what triggers them, are not run here",
    "ModelDeployment": "a model deployment is not run here: make a Service with the command of the model server",
    "NATSInputConfig": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "NATSOutputConfig": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "Notebook": "a notebook is not run here",
    "OCIRepo": "a chart is not run here: `helm template` prints manifests, which `probity run` and `probity deploy` take",
    "Param": "jobs, and their parameters, are not run here",
    "SQSInputConfig": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "SQSOutputConfig": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "SSHServer": "an SSH server is not run here",
    "Schedule": "jobs, and what triggers them, are not run here",
    "StaticVolumeConfig": "a volume is not made here: VolumeMount names one",
    "Volume": "a volume is not made here: VolumeMount names one",
    "VolumeBrowser": "a volume is not made here: VolumeMount names one",
    "WorkerConfig": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "Workflow": "a workflow is not run here",
    "get_application": "there is no platform to ask here: `probity ls` lists runs, `probity ps` what is in them",
    "trigger_job": "jobs, and what triggers them, are not run here",
}

__all__ = sorted(_WHAT)


class _Elsewhere:
    """Stands for something that is not run here."""

    def __init__(self, name: str) -> None:
        self.__name__ = name
        self.__doc__ = _WHAT[name]

    def __call__(self, *_: object, **__: object) -> NoReturn:
        raise NotRunHereError(f"{self.__name__}: {_WHAT[self.__name__]}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotRunHereError(f"{self.__name__}: {_WHAT[self.__name__]}")


AMQPInputConfig = _Elsewhere("AMQPInputConfig")
AMQPOutputConfig = _Elsewhere("AMQPOutputConfig")
ApplicationSet = _Elsewhere("ApplicationSet")
AsyncProcessorSidecar = _Elsewhere("AsyncProcessorSidecar")
AsyncService = _Elsewhere("AsyncService")
AsyncServiceAutoscaling = _Elsewhere("AsyncServiceAutoscaling")
DynamicVolumeConfig = _Elsewhere("DynamicVolumeConfig")
GitHelmRepo = _Elsewhere("GitHelmRepo")
Helm = _Elsewhere("Helm")
HelmRepo = _Elsewhere("HelmRepo")
Job = _Elsewhere("Job")
KafkaInputConfig = _Elsewhere("KafkaInputConfig")
KafkaOutputConfig = _Elsewhere("KafkaOutputConfig")
Manual = _Elsewhere("Manual")
ModelDeployment = _Elsewhere("ModelDeployment")
NATSInputConfig = _Elsewhere("NATSInputConfig")
NATSOutputConfig = _Elsewhere("NATSOutputConfig")
Notebook = _Elsewhere("Notebook")
OCIRepo = _Elsewhere("OCIRepo")
Param = _Elsewhere("Param")
SQSInputConfig = _Elsewhere("SQSInputConfig")
SQSOutputConfig = _Elsewhere("SQSOutputConfig")
SSHServer = _Elsewhere("SSHServer")
Schedule = _Elsewhere("Schedule")
StaticVolumeConfig = _Elsewhere("StaticVolumeConfig")
Volume = _Elsewhere("Volume")
VolumeBrowser = _Elsewhere("VolumeBrowser")
WorkerConfig = _Elsewhere("WorkerConfig")
Workflow = _Elsewhere("Workflow")
get_application = _Elsewhere("get_application")
trigger_job = _Elsewhere("trigger_job")
