"""How many replicas there are, and how they are replaced."""

from __future__ import annotations

from typing import ClassVar, Mapping, Optional, Sequence, Union

from ._objects import Object, described

__all__ = [
    "Autoscaling", "BlueGreen", "CPUUtilizationMetric", "Canary", "CanaryStep", "CronMetric", "RPSMetric", "Rolling", "ServiceAutoscaling",
]


@described
class CPUUtilizationMetric(Object):
    """Scales by the use of processors, in percent of the request. Not applied here."""

    value: float
    type: str = "cpu_utilization"


@described
class RPSMetric(Object):
    """Scales by requests per second of a replica. Not applied here."""

    value: float
    type: str = "rps"


@described
class CronMetric(Object):
    """Scales by the clock. Not applied here."""

    start: str
    end: str
    desired_replicas: Optional[int] = None
    timezone: str = "UTC"
    type: str = "cron"


@described
class ServiceAutoscaling(Object):
    """Bounds of the number of replicas. Here there are min_replicas."""

    min_replicas: int = 1
    max_replicas: Optional[int] = None
    metrics: Union[CPUUtilizationMetric, RPSMetric, CronMetric, None] = None
    polling_interval: int = 30
    """Seconds between two looks at the metric."""
    min: Optional[int] = None
    """The same as min_replicas."""
    max: Optional[int] = None
    """The same as max_replicas."""


Autoscaling = ServiceAutoscaling  # as it was called before


@described
class Rolling(Object):
    """New replicas come as old ones go. Surge is rounded up, unavailable down."""

    max_unavailable_percentage: int = 25
    max_surge_percentage: int = 25
    type: str = "rolling_update"

    slips: ClassVar[Mapping[str, str]] = {"max_unavailable": "write max_unavailable_percentage", "max_surge": "write max_surge_percentage"}


@described
class RollingShort(Rolling):
    """Rolling, under the name that some files have for it."""

    type: str = "rolling"


@described
class CanaryStep(Object):
    """A share of the requests, and how long it stays so; without pause_duration until somebody goes on."""

    weight_percentage: int
    pause_duration: Optional[int] = None


@described
class Canary(Object):
    """A new version gets a growing share of the requests. Not applied here: it rolls."""

    steps: Optional[Sequence[CanaryStep]] = None
    type: str = "canary"


@described
class BlueGreen(Object):
    """A new version takes over at once. Not applied here: it rolls."""

    enable_auto_promotion: bool = False
    auto_promotion_seconds: int = 30
    type: str = "blue_green"
