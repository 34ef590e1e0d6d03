"""A service: a program that serves, with its ports and health checks."""

from __future__ import annotations

import math
import re
import sys
from typing import Any, ClassVar, Mapping, Optional, Sequence, TextIO, Union

from . import _deployment, _yaml
from ._objects import Object, caller, described
from ._values import describe
from .errors import InvalidError, ProbityError, Problem
from .images import Build, Image
from .mounts import SecretMount, StringDataMount, VolumeMount
from .ports import Port
from .probes import HealthProbe
from .replicas import BlueGreen, Canary, Rolling, RollingShort, ServiceAutoscaling
from .resources import Resources
from .unapplied import ArtifactsDownload, AutoShutdown, Kustomize

__all__ = ["Service"]

_PROBES = "write liveness_probe and readiness_probe, each as {config: {type: http, path: /health, port: 8000}}"
_RESOURCES = "write resources: {cpu_request: 0.2, cpu_limit: 0.5, memory_request: 200, memory_limit: 500}"
_BUILD = "write image: {type: build, build_source: {type: local}, build_spec: {type: dockerfile}}"

Value = Union[str, int, float, bool, None]


@described
class Service(Object):
    """A service. Making one raises InvalidError with everything that is wrong in it, also inside of its fields."""

    name: str
    """Its name: letters, digits and -."""
    image: Union[Image, Build]
    """What runs."""
    ports: Sequence[Port]
    """Its ports; [] for a worker, which serves none."""
    replicas: Union[int, ServiceAutoscaling] = 1
    """How many there are."""
    resources: Optional[Resources] = None
    """What each may use."""
    env: Optional[Mapping[str, Value]] = None
    """Variables of the environment. A value tfy-secret://tenant:group:key is a secret."""
    liveness_probe: Optional[HealthProbe] = None
    """Restarts a replica when it fails."""
    readiness_probe: Optional[HealthProbe] = None
    """Keeps requests away from a replica while it fails."""
    startup_probe: Optional[HealthProbe] = None
    """Keeps the other two away until it has succeeded once."""
    rollout_strategy: Union[Rolling, RollingShort, Canary, BlueGreen, None] = None
    """How replicas are replaced."""
    mounts: Optional[Sequence[Union[SecretMount, StringDataMount, VolumeMount]]] = None
    """Files and folders that the program finds."""
    labels: Optional[Mapping[str, Value]] = None
    """Labels of the objects."""
    workspace_fqn: Optional[str] = None
    """cluster:workspace. The workspace is the namespace; deploy may give it, too."""
    allow_interception: bool = False
    """Not applied here."""
    auto_shutdown: Union[AutoShutdown, Any, None] = None
    """Not applied here."""
    artifacts_download: Union[ArtifactsDownload, Any, None] = None
    """Not applied here."""
    service_account: Optional[str] = None
    """The account of its Pods."""
    kustomize: Union[Kustomize, Any, None] = None
    """Not applied here."""
    type: str = "service"

    entire: ClassVar[bool] = True
    slips: ClassVar[Mapping[str, str]] = {
        "health_check": _PROBES, "health_checks": _PROBES, "healthcheck": _PROBES, "health_probe": _PROBES, "probes": _PROBES,
        "requests": _RESOURCES, "limits": _RESOURCES,
        "node_selector": "write resources.node: {type: node_selector, instance_families: […]}",
        "build": _BUILD, "build_spec": _BUILD, "build_source": _BUILD,
        "deploy": "its fields belong at the top: replicas, resources, env",
        "port": "write ports: [{port: 8000}]",
        "command": "it belongs in image (type: image) or in image.build_spec (type: build)",
        "namespace": "write workspace_fqn: CLUSTER:WORKSPACE",
        "autoscaling": "write replicas: {min_replicas: 1, max_replicas: 3}",
        "environment": "write env: {NAME: value}",
        "kind": "there is type alone, leave it out",
        "cache_volume": "it belongs in artifacts_download",
        "components": "they belong to type: application-set",
        "volumes": "write mounts: [{type: volume, mount_path: …, volume_fqn: …}]",
    }

    def deploy(
        self,
        workspace_fqn: Optional[str] = None,
        force: bool = False,
        wait: bool = True,
        *,
        target: str = "probity",
        context: Optional[str] = None,
        instance: Optional[str] = None,
        timeout: Optional[float] = None,
        progress: Optional[TextIO] = None,
        check: bool = True,
    ) -> "_deployment.Deployed":
        """Deploy the service, and wait until it is ready.

        workspace_fqn is cluster:workspace, instead of the field; the workspace becomes the namespace.
        force takes fields that somebody else keeps. Without wait it returns when the service is applied.
        target is probity, a run of `probity run` on this machine, or kubernetes, a cluster.
        context is the cluster's, of the kubeconfig; the current one if it is left out.
        instance names the run, as `probity ls` does, or by its state folder, if there are several.
        timeout is how many seconds to wait, 900 if it is left out.
        progress is where lines about it go, sys.stderr if it is left out.
        check lets `probity check` judge it first: an outage is a RefusedError, what else is found is a line of progress. With False nobody looks.

        Raises InvalidError (also for these arguments), ProgramMissingError, UnreachableError, RefusedError (with the fields, and nothing was sent), NotReadyError (with the causes).
        """
        self._check_arguments(
            {"workspace_fqn": workspace_fqn, "target": target, "context": context, "instance": instance},
            {"force": force, "wait": wait, "check": check}, timeout, progress,
        )
        options = _deployment.Options(target, context, instance, force, wait, timeout, progress, check)
        if workspace_fqn is not None and re.fullmatch("[A-Z_]+", workspace_fqn):
            print(f"workspace_fqn {workspace_fqn} is a placeholder: the namespace of the context is used", file=progress or sys.stderr)
            workspace_fqn = None
        try:
            return _deployment.deploy(self, self._yaml(workspace_fqn), options)
        except ProbityError as e:
            raise e.with_traceback(None) from None  # how we found out helps nobody

    def to_yaml(self) -> str:
        """Return the service as YAML, which `probity run`, `check`, `render` and `deploy` read, and TrueFoundry does."""
        return self._yaml(None)

    def to_kubernetes(self, workspace_fqn: Optional[str] = None) -> str:
        """Return the objects of Kubernetes that the service becomes, as YAML. Raises RefusedError and ProgramMissingError."""
        try:
            return _deployment.render(self, self._yaml(workspace_fqn))
        except ProbityError as e:
            raise e.with_traceback(None) from None

    def findings(self, workspace_fqn: Optional[str] = None) -> "Sequence[_deployment.Finding]":
        """Return what `probity check` finds: what leads to an outage, and what may. Raises RefusedError and ProgramMissingError."""
        try:
            return _deployment.check(self, self._yaml(workspace_fqn))
        except ProbityError as e:
            raise e.with_traceback(None) from None

    def _check_arguments(self, texts: Mapping[str, object], booleans: Mapping[str, object], timeout: object, progress: object) -> None:
        wrong = {name: f"cannot use {describe(text)} as a string" for name, text in texts.items() if text is not None and not isinstance(text, str)}
        wrong.update({name: f"cannot use {describe(value)} as a boolean" for name, value in booleans.items() if not isinstance(value, bool)})
        if progress is not None and not callable(getattr(progress, "write", None)):
            wrong["progress"] = f"cannot use {describe(progress)}: it is a stream, as sys.stderr is"
        if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < math.inf):
            wrong["timeout"] = f"cannot use {describe(timeout)}: it is a number of seconds, above 0"
        wrong.update({name: message for name, message in _deployment.contradictions(texts).items() if name not in wrong})
        if wrong:
            raise InvalidError(self._title(), [Problem(name, message, caller()) for name, message in wrong.items()])

    def _yaml(self, workspace_fqn: Optional[str]) -> str:
        self.check()
        try:
            document = self.to_dict()
            if workspace_fqn is not None:
                document["workspace_fqn"] = workspace_fqn
            return _yaml.dump(document)
        except (TypeError, ValueError) as e:  # of an object() in labels, for example
            raise InvalidError(self._title(), [Problem("", f"has a value that no document can have: {e}", caller())]) from None

    def _title(self) -> str:
        return f'Service "{self.name}"' if isinstance(self.name, str) else "Service"
