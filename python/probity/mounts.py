"""Files and folders that a program finds."""

from __future__ import annotations

from typing import Optional

from ._objects import Object, described

__all__ = ["SecretMount", "StringDataMount", "VolumeMount"]


@described
class SecretMount(Object):
    """A file with the value of a secret."""

    mount_path: str
    """Where the file is."""
    secret_fqn: str
    """The secret: tfy-secret://tenant:group:key."""
    type: str = "secret"


@described
class StringDataMount(Object):
    """A file with this text."""

    mount_path: str
    """Where the file is."""
    data: str
    """The text."""
    type: str = "string"


@described
class VolumeMount(Object):
    """A folder that stays."""

    mount_path: str
    """Where the folder is."""
    volume_fqn: str
    """The volume: tfy-volume://cluster:workspace:name."""
    sub_path: Optional[str] = None
    """A folder of the volume, instead of all of it."""
    type: str = "volume"
