"""Ports, and who may come through them."""

from __future__ import annotations

import enum
from typing import Any, ClassVar, Literal, Mapping, Optional, Sequence, Union

from ._objects import Object, described

__all__ = ["AppProtocol", "BasicAuthCreds", "JwtAuthConfig", "Port", "TrueFoundryInteractiveLogin"]


class AppProtocol(str, enum.Enum):
    """What is spoken at a port."""

    http = "http"
    grpc = "grpc"
    tcp = "tcp"


@described
class BasicAuthCreds(Object):
    """A name and a password. Not applied here."""

    username: str
    password: str
    type: str = "basic_auth"


@described
class JwtAuthConfig(Object):
    """Tokens of an integration. Not applied here."""

    integration_fqn: str
    enable_login: Optional[bool] = None
    claims: Optional[Any] = None
    bypass_auth_paths: Optional[Sequence[str]] = None
    type: str = "jwt_auth"


@described
class TrueFoundryInteractiveLogin(Object):
    """Sign-in with TrueFoundry. Not applied here."""

    bypass_auth_paths: Optional[Sequence[str]] = None
    type: str = "truefoundry_oauth"


@described
class Port(Object):
    """A port of the service. Host, path, expose and auth belong to an ingress: they are noted, and not applied here."""

    port: int = 80
    """The number, 1 to 65535."""
    protocol: Literal["TCP", "UDP"] = "TCP"
    """TCP, or UDP."""
    expose: bool = True
    """Whether it can be reached from outside of the cluster."""
    app_protocol: AppProtocol = AppProtocol.http
    """What is spoken there."""
    host: Optional[str] = None
    """The domain under which it is reached."""
    path: Optional[str] = None
    """The prefix of the path under which it is reached; the program does not see it. Probes do not use it."""
    rewrite_path_to: Optional[str] = None
    """What is put in the place of that prefix."""
    auth: Union[BasicAuthCreds, JwtAuthConfig, TrueFoundryInteractiveLogin, None] = None
    """Who may come. Probes need not sign in."""

    slips: ClassVar[Mapping[str, str]] = {
        "container_port": "write port", "target_port": "write port", "number": "write port", "name": "a port has no name: leave it out",
    }
