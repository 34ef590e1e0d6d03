"""A service: a program that serves, with its ports and health checks."""

from __future__ import annotations

from typing import Any, ClassVar, Mapping, Optional, Sequence, TextIO, Union

from . import _deployment, _yaml
from ._objects import Object, described
from .images import Build, Image
from .mounts import SecretMount, StringDataMount, VolumeMount
from .ports import Port
from .probes import HealthProbe
from .replicas import BlueGreen, Canary, Rolling, ServiceAutoscaling
from .resources import Resources

__all__ = ["Service"]

Value = Union[str, int, float, bool, None]


@described
class Service(Object):
    """A service. Making one raises InvalidError with everything that is wrong in it, also inside of its fields."""

    name: str
    """Its name: letters, digits and -."""
    image: Union[Build, Image]
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
    rollout_strategy: Union[Rolling, Canary, BlueGreen, None] = None
    """How replicas are replaced."""
    mounts: Optional[Sequence[Union[SecretMount, StringDataMount, VolumeMount]]] = None
    """Files and folders that the program finds."""
    labels: Optional[Mapping[str, str]] = None
    """Labels of the objects."""
    workspace_fqn: Optional[str] = None
    """cluster:workspace. The workspace is the namespace; deploy may give it, too."""
    allow_interception: bool = False
    """Not applied here."""
    auto_shutdown: Optional[Mapping[str, Any]] = None
    """Not applied here."""
    artifacts_download: Optional[Mapping[str, Any]] = None
    """Not applied here."""
    service_account: Optional[str] = None
    """The account of its Pods."""
    kustomize: Optional[Mapping[str, Any]] = None
    """Not applied here."""
    type: str = "service"

    entire: ClassVar[bool] = True
    slips: ClassVar[Mapping[str, str]] = {
        "port": "did you mean ports? It is a list: ports=[Port(port=…)]",
        "health_check": "write liveness_probe=HealthProbe(…) and readiness_probe=HealthProbe(…)",
        "health_checks": "write liveness_probe=HealthProbe(…) and readiness_probe=HealthProbe(…)",
        "healthcheck": "write liveness_probe=HealthProbe(…) and readiness_probe=HealthProbe(…)",
        "command": "it belongs to the image: Build(build_spec=DockerFileBuild(command=…)), Image(command=…)",
        "build": "write image=Build(build_spec=…)",
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
    ) -> "_deployment.Deployed":
        """Deploy the service, and wait until it is ready.

        workspace_fqn is cluster:workspace, instead of the field; the workspace becomes the namespace.
        force takes fields that somebody else keeps. Without wait it returns when the service is applied.
        target is probity, a run of `probity run` on this machine, or kubernetes, a cluster.
        context is the cluster's, of the kubeconfig; the current one if it is left out.
        instance names the run, as `probity ls` does, if there are several.
        timeout is how many seconds to wait, 900 if it is left out.
        progress is where lines about it go, sys.stderr if it is left out.

        Raises ProgramMissingError, UnreachableError, RefusedError (with the fields, and nothing was sent), NotReadyError (with the causes).
        """
        self.check()
        options = _deployment.Options(target, context, instance, force, wait, timeout, progress)
        return _deployment.deploy(self, self._yaml(workspace_fqn), options)

    def to_yaml(self) -> str:
        """Return the service as YAML, which `probity run`, `check`, `render` and `deploy` read, and TrueFoundry does."""
        self.check()
        return self._yaml(None)

    def to_kubernetes(self, workspace_fqn: Optional[str] = None) -> str:
        """Return the objects of Kubernetes that the service becomes, as YAML. Raises RefusedError and ProgramMissingError."""
        self.check()
        return _deployment.render(self, self._yaml(workspace_fqn))

    def findings(self, workspace_fqn: Optional[str] = None) -> "Sequence[_deployment.Finding]":
        """Return what `probity check` finds: what leads to an outage, and what may. Raises RefusedError and ProgramMissingError."""
        self.check()
        return _deployment.check(self, self._yaml(workspace_fqn))

    def _yaml(self, workspace_fqn: Optional[str]) -> str:
        document = self.to_dict()
        if workspace_fqn is not None:
            document["workspace_fqn"] = workspace_fqn
        return _yaml.dump(document)

    def _title(self) -> str:
        return f'Service "{self.name}"' if isinstance(self.name, str) else "Service"
