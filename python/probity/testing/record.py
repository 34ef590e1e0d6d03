"""What a run has told: its Pods as they are now, and everything that happened."""

from __future__ import annotations

import json
import threading
import time
from typing import IO, Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, TypeVar

T = TypeVar("T")


class Event(NamedTuple):
    """An Event of Kubernetes."""

    reason: str
    """What kind of thing happened: Unhealthy, Killing, Started."""
    message: str
    """What happened."""
    kind: str
    """Of what kind of object: Pod, Deployment, Service."""
    name: str
    """Its name."""
    warning: bool
    """Whether something is wrong."""
    at: float
    """When it was heard of, as time.monotonic tells it."""

    def __str__(self) -> str:
        return f"{self.kind.lower()}/{self.name} {self.reason}: {self.message}"


class Pod(NamedTuple):
    """A Pod as it was when it last changed."""

    namespace: str
    """Its namespace."""
    name: str
    """Its name."""
    workload: str
    """The Deployment, StatefulSet or ReplicaSet that it belongs to, or its own name."""
    ready: bool
    """Whether it gets requests."""
    restarts: int
    """How often its containers were restarted."""
    pids: Mapping[str, int]
    """The process ids of its running containers."""
    uid: str = ""
    """Tells it from others that have had its name."""


def pod_of(thing: Mapping[str, Any]) -> Pod:
    """Return what matters of a Pod as the API describes it."""
    meta, status = thing["metadata"], thing.get("status", {})
    statuses = status.get("containerStatuses", [])
    running = {c["name"] for c in statuses if "running" in c.get("state", {})}
    mark = "probity.run/pid."
    pids = {name[len(mark) :]: int(pid) for name, pid in meta.get("annotations", {}).items() if name.startswith(mark)}
    return Pod(
        meta["namespace"], meta["name"], _workload(meta),
        any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", [])) and "deletionTimestamp" not in meta,
        sum(c.get("restartCount", 0) for c in statuses), {name: pid for name, pid in pids.items() if name in running},
        meta.get("uid", ""),
    )


def _workload(meta: Mapping[str, Any]) -> str:
    for owner in meta.get("ownerReferences", []):
        revision = meta.get("labels", {}).get("pod-template-hash")
        name = str(owner["name"])
        return name[: -len(revision) - 1] if revision and name.endswith("-" + revision) else name
    return str(meta["name"])


class Record:
    """Reads what a run tells, in a thread of its own. It may be asked by any thread."""

    def __init__(self, stream: IO[bytes], heard: Optional[Callable[[Event], None]] = None) -> None:
        self._changed = threading.Condition()
        self._pods: Dict[str, Pod] = {}
        self._was_ready: Dict[Tuple[str, bool], float] = {}
        self._events: List[Event] = []
        self._lines: List[str] = []
        self._over = False
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def pods(self) -> List[Pod]:
        """Return the Pods that there are."""
        with self._changed:
            return list(self._pods.values())

    def events(self) -> List[Event]:
        """Return what happened, in order. An Event that occurs again is there again."""
        with self._changed:
            return list(self._events)

    def lines(self) -> List[str]:
        """Return what the containers, and the run itself, have printed."""
        with self._changed:
            return list(self._lines)

    def changed(self, pod: str, ready: bool) -> Optional[float]:
        """Return when a Pod last became ready, or not ready, as time.monotonic tells it."""
        with self._changed:
            return self._was_ready.get((pod, ready))

    def wait(self, asked: Callable[[], Optional[T]], timeout: float) -> Optional[T]:
        """Return the first answer that is not None, or None when the time is over or nothing more will be told."""
        end = time.monotonic() + timeout
        while True:
            with self._changed:
                seen = len(self._events), len(self._lines), dict(self._pods), self._over
            answer = asked()
            left = end - time.monotonic()
            if answer is not None or seen[3] or left <= 0:
                return answer
            with self._changed:
                self._changed.wait_for(lambda: (len(self._events), len(self._lines), self._pods, self._over) != seen, left)

    def join(self) -> None:
        """Wait until everything is read: the run has ended."""
        self._thread.join()

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._take(line.decode("utf-8", "replace").rstrip("\n"), time.monotonic())
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _take(self, line: str, now: float) -> None:
        told = None
        if line.startswith('{"type":'):
            try:
                told = json.loads(line)
            except ValueError:
                pass  # a container printed it
        with self._changed:
            if told is None:
                self._lines.append(line)
            elif isinstance(told.get("object"), dict):
                self._note(str(told["type"]), told["object"], now)
            self._changed.notify_all()

    def _note(self, change: str, thing: Mapping[str, Any], now: float) -> None:
        if thing.get("kind") == "Event":
            about = thing["involvedObject"]
            warning = thing.get("type") == "Warning"
            self._events.append(Event(thing["reason"], thing.get("message", ""), about["kind"], about["name"], warning, now))
        elif thing.get("kind") == "Pod":
            pod = pod_of(thing)
            before = self._pods.pop(f"{pod.namespace}/{pod.name}", None)
            if before is None or before.ready != pod.ready:
                self._was_ready[pod.name, pod.ready] = now
            if change != "DELETED":
                self._pods[f"{pod.namespace}/{pod.name}"] = pod
