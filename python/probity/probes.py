"""Health checks: when a probe asks, and what."""

from __future__ import annotations

from typing import ClassVar, Literal, Mapping, Optional, Sequence, Union

from ._objects import Object, described

__all__ = ["CommandProbe", "ExecProbe", "GrpcProbe", "HealthProbe", "HttpProbe", "TcpProbe"]

_FORM = "config: {type: http, path: /health, port: 8000}"
_IN_CONFIG = f"it belongs in config, as in {_FORM}"


@described
class HttpProbe(Object):
    """Asks by HTTP GET. An answer from 200 to 399 is a success."""

    path: str
    """What is asked for: /livez."""
    port: int
    """The port that the program listens on."""
    host: Optional[str] = None
    """Who is asked; the Pod if it is left out, which is nearly always right."""
    scheme: Optional[Literal["HTTP", "HTTPS"]] = None
    """HTTP, which is the default, or HTTPS, whose certificate is not verified."""
    type: str = "http"


@described
class TcpProbe(Object):
    """Opens a connection. That it opens is a success."""

    port: int
    """The port that the program listens on."""
    type: str = "tcp"


@described
class CommandProbe(Object):
    """Runs a command in the container. Exit code 0 is a success."""

    command: Union[str, Sequence[str]]
    """The command and its arguments, as a list, or as a string that is split as a shell does it. No shell runs it."""
    type: str = "command"


@described
class ExecProbe(Object):
    """A CommandProbe under Kubernetes' name. TrueFoundry does not know it."""

    command: Union[str, Sequence[str]]
    """The command and its arguments, as a list, or as a string that is split as a shell does it. No shell runs it."""
    type: str = "exec"


@described
class GrpcProbe(Object):
    """Asks the health service of gRPC. TrueFoundry does not know it."""

    port: int
    """The port that the program listens on."""
    service: Optional[str] = None
    """The service that is asked about; the whole server if it is left out."""
    type: str = "grpc"


@described
class HealthProbe(Object):
    """A startup, readiness or liveness probe."""

    config: Union[HttpProbe, TcpProbe, CommandProbe, ExecProbe, GrpcProbe]
    """What is asked."""
    initial_delay_seconds: int = 0
    """How long after the start of the container the first attempt is made."""
    period_seconds: int = 10
    """How often an attempt is made."""
    timeout_seconds: int = 1
    """How long an answer may take."""
    success_threshold: int = 1
    """How many successes in a row it takes to be ready again. For liveness and startup it has to be 1."""
    failure_threshold: int = 3
    """How many failures in a row it takes until there is a consequence."""

    slips: ClassVar[Mapping[str, str]] = {
        "path": _IN_CONFIG, "port": _IN_CONFIG, "host": _IN_CONFIG, "scheme": _IN_CONFIG, "type": _IN_CONFIG,
        "http_get": "write " + _FORM, "httpGet": "write " + _FORM, "http": "write " + _FORM,
        "tcp_socket": "write config: {type: tcp, port: 8000}",
        "exec": "write config: {type: command, command: [./check]}",
    }
