"""What a file for TrueFoundry may import and Probity does not run: it can be imported, and says so when it is used."""

from __future__ import annotations

from typing import Any, NoReturn

from .errors import NotRunHereError

_WHAT = {
    "ApplicationSet": "a set of applications is not run here: make a Service of each",
    "AsyncService": "a service behind a queue is not run here: a Service with ports=[] runs the worker",
    "Helm": "a chart is not run here: `helm template` prints manifests, which `probity run` and `probity deploy` take",
    "Job": "a job is not run here: `probity run --until complete` runs a Pod to its end",
    "Manual": "jobs, and what triggers them, are not run here",
    "ModelDeployment": "a model deployment is not run here: make a Service with the command of the model server",
    "Notebook": "a notebook is not run here",
    "Param": "jobs, and their parameters, are not run here",
    "Schedule": "jobs, and what triggers them, are not run here",
    "SSHServer": "an SSH server is not run here",
    "Volume": "a volume is not made here: VolumeMount names one",
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


ApplicationSet = _Elsewhere("ApplicationSet")
AsyncService = _Elsewhere("AsyncService")
Helm = _Elsewhere("Helm")
Job = _Elsewhere("Job")
Manual = _Elsewhere("Manual")
ModelDeployment = _Elsewhere("ModelDeployment")
Notebook = _Elsewhere("Notebook")
Param = _Elsewhere("Param")
SSHServer = _Elsewhere("SSHServer")
Schedule = _Elsewhere("Schedule")
Volume = _Elsewhere("Volume")
WorkerConfig = _Elsewhere("WorkerConfig")
Workflow = _Elsewhere("Workflow")
get_application = _Elsewhere("get_application")
trigger_job = _Elsewhere("trigger_job")
