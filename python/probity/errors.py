"""What can go wrong. Each error is a ProbityError, and its text is meant to be read by people."""

from __future__ import annotations

from typing import NamedTuple, Optional, Sequence

__all__ = [
    "InvalidError", "NotReadyError", "NotRunHereError", "Place", "ProbityError", "Problem", "ProgramMissingError", "RefusedError", "UnreachableError",
]


class Place(NamedTuple):
    """A line of the program that made an object."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Problem(NamedTuple):
    """One thing that is wrong."""

    path: str
    """The field, from the service: liveness_probe.config.port. Empty if it is about no field."""
    message: str
    """What is wrong with it, and what it should be."""
    place: Optional[Place] = None
    """Where the object with that field was made, if that is known."""

    def __str__(self) -> str:
        return ": ".join(str(part) for part in (self.place, self.path, self.message) if part)


class ProbityError(Exception):
    """The base of all errors of this package."""


class InvalidError(ProbityError, ValueError):
    """An object is not what it should be. Nothing was sent anywhere."""

    def __init__(self, what: str, problems: Sequence[Problem]) -> None:
        self.what = what
        """The object: Service "web"."""
        self.problems = tuple(problems)
        """Everything that is wrong with it, not only the first."""
        super().__init__(what, self.problems)

    def __str__(self) -> str:
        return _listed(f"{self.what} is not valid", [str(p) for p in self.problems])


class NotRunHereError(ProbityError, NotImplementedError):
    """Something that Probity does not run: a job, a chart, a workflow."""


class ProgramMissingError(ProbityError):
    """The program probity, which does the work, cannot be found or started."""


class UnreachableError(ProbityError):
    """There is nobody to deploy to, or nobody who answers."""


class RefusedError(ProbityError):
    """The service was refused, and nothing was sent or changed: by its form, by a finding of probity check, or by the server."""

    def __init__(self, what: str, problems: Sequence[Problem]) -> None:
        self.what = what
        """The service: Service "web"."""
        self.problems = tuple(problems)
        """Why. The path of a problem is empty if the reason is not about one field."""
        super().__init__(what, self.problems)

    def __str__(self) -> str:
        return _listed(f"{self.what} was refused", [str(p) for p in self.problems])


class NotReadyError(ProbityError):
    """The service was applied and did not come up, or nobody knows whether it did."""

    def __init__(self, what: str, causes: Sequence[str], log: Sequence[str] = (), unknown: bool = False) -> None:
        self.what = what
        """The service, or what else did not come up."""
        self.causes = tuple(causes)
        """Why, the most certain first."""
        self.log = tuple(log)
        """The last lines of what its containers have printed."""
        self.unknown = unknown
        """The time was over, or the server was lost, while nothing was known to be wrong."""
        super().__init__(what, self.causes, self.log, unknown)

    def __str__(self) -> str:
        headline = f"whether {self.what} comes up is not known" if self.unknown else f"{self.what} did not become ready"
        return _listed(headline, [*self.causes, *(f"| {line}" for line in self.log)])


def _listed(headline: str, lines: Sequence[str]) -> str:
    return headline + "".join("\n  " + line.replace("\n", "\n  ") for line in lines)
