"""Health checks: when a probe asks, and what."""

from __future__ import annotations

from typing import ClassVar, Mapping, Optional, Sequence, Union

from ._objects import Object, described

__all__ = ["CommandProbe", "HealthProbe", "HttpProbe", "TcpProbe"]


@described
class HttpProbe(Object):
    """Asks by HTTP GET. An answer from 200 to 399 is a success."""

    path: str
    """What is asked for: /livez."""
    port: int
    """The port that the program listens on."""
    host: Optional[str] = None
    """Who is asked; the Pod if it is left out, which is nearly always right."""
    scheme: Optional[str] = None
    """HTTP, which is the default, or HTTPS, whose certificate is not verified."""
    type: str = "http"


@described
class TcpProbe(Object):
    """Opens a connection. That it opens is a success."""

    port: int
    """The port that the program listens on."""
    host: Optional[str] = None
    """Who is asked; the Pod if it is left out."""
    type: str = "tcp"


@described
class CommandProbe(Object):
    """Runs a command in the container. Exit code 0 is a success."""

    command: Sequence[str]
    """The command and its arguments. No shell runs it."""
    type: str = "command"


@described
class HealthProbe(Object):
    """A startup, readiness or liveness probe."""

    config: Union[HttpProbe, TcpProbe, CommandProbe]
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
        "path": "it belongs into config: config=HttpProbe(path=…, port=…)",
        "port": "it belongs into config: config=HttpProbe(path=…, port=…)",
        "http_get": "write config=HttpProbe(path=…, port=…)",
        "tcp_socket": "write config=TcpProbe(port=…)",
        "exec": "write config=CommandProbe(command=[…])",
    }
