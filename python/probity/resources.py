"""What a service may use. Requests and limits are written to the manifest; processes of this machine are not held to them."""

from __future__ import annotations

import enum
from typing import ClassVar, Mapping, Optional, Sequence, Union

from ._objects import Object, described

__all__ = [
    "AWSInferentia", "CapacityType", "GPUType", "GcpTPU", "NodeSelector", "NodepoolSelector", "NvidiaGPU", "NvidiaMIGGPU", "NvidiaTimeslicingGPU", "Resources",
]


class CapacityType(str, enum.Enum):
    """Whether a node may be taken away."""

    spot_fallback_on_demand = "spot_fallback_on_demand"
    spot = "spot"
    on_demand = "on_demand"


class GPUType(str, enum.Enum):
    """Names of graphics processors. Any other string is taken, too."""

    P4 = "P4"
    P100 = "P100"
    V100 = "V100"
    T4 = "T4"
    A10G = "A10G"
    A10_4GB = "A10_4GB"
    A10_8GB = "A10_8GB"
    A10_12GB = "A10_12GB"
    A10_24GB = "A10_24GB"
    A100_40GB = "A100_40GB"
    A100_80GB = "A100_80GB"
    L4 = "L4"
    L40S = "L40S"
    H100_80GB = "H100_80GB"
    H100_94GB = "H100_94GB"
    H100_96GB = "H100_96GB"
    H200 = "H200"
    B200 = "B200"


@described
class NodeSelector(Object):
    """Which machines it may run on. Not applied here."""

    instance_families: Optional[Sequence[str]] = None
    capacity_type: Optional[CapacityType] = None
    type: str = "node_selector"

    slips: ClassVar[Mapping[str, str]] = {"gpu_type": "write resources.devices: [{type: nvidia_gpu, name: …, count: 1}]"}


@described
class NodepoolSelector(Object):
    """Which pools of machines it may run on. Not applied here."""

    nodepools: Optional[Sequence[str]] = None
    type: str = "nodepool_selector"


@described
class NvidiaGPU(Object):
    """Graphics processors. Not applied here."""

    count: int
    name: Optional[str] = None
    type: str = "nvidia_gpu"


@described
class _Device(Object):
    name: Optional[str] = None
    count: int = 1
    profile: Optional[str] = None
    tpu_type: Optional[str] = None
    topology: Optional[str] = None
    node_pool: Optional[str] = None


@described
class NvidiaMIGGPU(_Device):
    """Parts of a graphics processor. Not applied here."""

    type: str = "nvidia_mig_gpu"


@described
class NvidiaTimeslicingGPU(_Device):
    """Shares of a graphics processor. Not applied here."""

    type: str = "nvidia_timeslicing_gpu"


@described
class AWSInferentia(_Device):
    """Accelerators of AWS. Not applied here."""

    type: str = "aws_inferentia"


@described
class GcpTPU(_Device):
    """Accelerators of Google Cloud. Not applied here."""

    type: str = "gcp_tpu"


@described
class Resources(Object):
    """Requests and limits: processors in cores, memory and storage in megabytes."""

    cpu_request: float = 0.2
    cpu_limit: float = 0.5
    memory_request: int = 200
    memory_limit: int = 500
    ephemeral_storage_request: int = 1000
    ephemeral_storage_limit: int = 2000
    shared_memory_size: Optional[int] = None
    """Megabytes of /dev/shm."""
    node: Union[NodeSelector, NodepoolSelector, None] = None
    """Where it may run."""
    devices: Optional[Sequence[Union[NvidiaGPU, NvidiaMIGGPU, NvidiaTimeslicingGPU, AWSInferentia, GcpTPU]]] = None
    """Graphics processors and the like."""

    slips: ClassVar[Mapping[str, str]] = {
        "storage": "write ephemeral_storage_request and ephemeral_storage_limit, in MB",
        "ephemeral_storage": "write ephemeral_storage_request and ephemeral_storage_limit, in MB",
        "gpu_count": "write devices: [{type: nvidia_gpu, count: 1}]",
        "gpu": "write devices: [{type: nvidia_gpu, count: 1}]",
        "cpu": "write cpu_request and cpu_limit, in cores",
        "memory": "write memory_request and memory_limit, in MB",
        "requests": "write cpu_request and memory_request",
        "limits": "write cpu_limit and memory_limit",
        "instance_family": "it belongs in node: {type: node_selector, instance_families: […]}",
    }
