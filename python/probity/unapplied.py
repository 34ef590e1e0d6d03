"""Fields of a service that have no meaning here: they are taken as they are, and noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Optional, Sequence

from ._objects import Object, described

__all__ = ["ArtifactsCacheVolume", "ArtifactsDownload", "AutoShutdown", "HuggingfaceArtifactSource", "Kustomize", "TrueFoundryArtifactSource"]


class _Open(Object):
    """An object whose fields are not looked at."""

    open: ClassVar[bool] = True

    if TYPE_CHECKING:

        def __init__(self, **fields: Any) -> None:
            """Make one of these fields."""


@described
class AutoShutdown(Object):
    """Stops a service that is idle. Not applied here."""

    wait_time: int = 900
    """Seconds without a request."""


@described
class ArtifactsCacheVolume(Object):
    """Where downloads are kept. Not applied here."""

    storage_class: Optional[str] = None
    cache_size: int = 200
    """Gigabytes."""


@described
class ArtifactsDownload(Object):
    """Downloads models before the start. Not applied here: put what the program needs where it looks for it."""

    artifacts: Sequence[Any]
    cache_volume: Optional[ArtifactsCacheVolume] = None


@described
class Kustomize(Object):
    """Changes and additions to the manifests. Not applied here."""

    patch: Optional[Any] = None
    additions: Optional[Sequence[Any]] = None


class HuggingfaceArtifactSource(_Open):
    """A model of Hugging Face. Not applied here."""

    type: str = "huggingface-hub"


class TrueFoundryArtifactSource(_Open):
    """A model of TrueFoundry's registry. Not applied here."""

    type: str = "truefoundry-artifact"
