"""What a test does to a Pod."""

from __future__ import annotations

from types import TracebackType
from typing import Callable, NamedTuple, Optional, Type

from .record import Pod


class Fault(NamedTuple):
    """Something that was done to a Pod. As a context manager it is undone at the end."""

    what: str
    """kill, hang, the name of a signal, or the value of the annotation probity.run/fault: slow=2s, refuse, unready."""
    pod: Pod
    """The Pod as it was."""
    at: float
    """When, as time.monotonic tells it."""
    undo: Callable[[], None] = lambda: None
    """Ends it, if it can be ended and has not been yet. A Pod that is gone is left alone."""

    def __enter__(self) -> "Fault":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.undo()


class Requests(NamedTuple):
    """What became of the requests of a Service so far; without HTTP, of its connections."""

    total: int
    """How many have ended."""
    failed: int
    """How many got no answer of a replica: none was ready, or all that were tried failed."""
    lost: int
    """How many of these had been sent to a replica."""
    retried: int
    """How often a failed attempt was followed by one at another replica."""
