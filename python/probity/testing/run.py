"""A service under probity run, for as long as a test needs it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Type, Union

from .. import _program
from ..errors import NotReadyError, ProbityError, ProgramMissingError
from ..service import Service
from ._api import Api
from .fault import Fault, Requests
from .record import Event, Pod, Record

What = Union[str, "os.PathLike[str]", Service]

# The command that a run has while a test lasts: it says that all is ready, and ends when the test process has closed the pipe, or is gone.
_HOLD = ["sh", "-c", 'echo ready; exec cat "$0"']
_SHOWN = 60  # lines and Events of a failing test
_FAULT = "probity.run/fault"  # the annotation
_FAULT_TIME = 60.0  # seconds until it must have begun or ended


class Run:
    """A run of manifests, or of a service, from start to stop. It is a context manager; all times are in seconds.

    what are files or folders of manifests, or one Service. commands are the programs that stand for images, by container or workload:container.
    environ is put into the environment of the run, arguments are further ones of `probity run`. timeout is how long it may take to become ready.
    """

    def __init__(
        self,
        *what: What,
        commands: Optional[Mapping[str, str]] = None,
        environ: Optional[Mapping[str, str]] = None,
        arguments: Sequence[str] = (),
        timeout: float = 60,
    ) -> None:
        services = [w for w in what if isinstance(w, Service)]
        if not what or (services and len(what) > 1):
            raise ValueError("a run takes files of manifests, or one Service")
        self._title = services[0]._title() if services else ", ".join(os.fspath(w) for w in what if not isinstance(w, Service))
        self._document = services[0].to_yaml() if services else ""
        self._timeout = timeout
        self._environ = {**os.environ, **(environ or {})}
        files = ["-"] if services else [os.fspath(w) for w in what if not isinstance(w, Service)]
        stand_ins = [f"--command={name}={command}" for name, command in (commands or {}).items()]
        self._arguments = [*files, "-o", "json", "--logs", "--no-dashboard", f"--timeout={timeout:g}s", *stand_ins, *arguments]
        self._process: Optional["subprocess.Popen[bytes]"] = None
        self._hung: List[int] = []

    def start(self) -> "Run":
        """Start it, and return when everything is ready. Raises NotReadyError with what it waits for, and ProgramMissingError."""
        program = _program.find()
        self._folder = tempfile.mkdtemp(prefix="probity-test-")
        pipe = os.path.join(self._folder, "pipe")
        os.mkfifo(pipe, 0o600)
        self._hold: Optional[int] = os.open(pipe, os.O_RDWR)
        command = [program, "run", *self._arguments, f"--state-dir={self._folder}/state", "--", *_HOLD, pipe]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self._environ, start_new_session=True
            )
        except OSError as e:
            os.close(self._hold)
            shutil.rmtree(self._folder, ignore_errors=True)
            raise ProgramMissingError(f"cannot run {program}: {e.strerror}") from None
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self.record = Record(self._process.stderr)
        try:
            try:
                with self._process.stdin as stdin:
                    stdin.write(self._document.encode())
            except BrokenPipeError:
                pass  # it has ended, and says why
            if not self._process.stdout.readline():
                self._process.wait()
                self.record.join()
                raise NotReadyError(self._title, [_program.last_words("\n".join(self.record.lines()[-_SHOWN:]))])
            # The pipe from which Pods are read may be behind the one that says that they are ready.
            ready = {thing["name"] for thing in self._list() if thing["kind"] == "pod" and thing["state"] == "Ready"}
            self.record.wait(lambda: True if ready <= {pod.name for pod in self.record.pods() if pod.ready} else None, self._timeout)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop it, and wait until nothing of it is left. What hangs is set free before."""
        if self._process is None:
            return
        alive = {pid for pod in self.record.pods() for pid in pod.pids.values()}
        for pid in alive.intersection(self._hung):
            _send(pid, signal.SIGCONT)
        if self._hold is not None:
            os.close(self._hold)
            self._hold = None
        for grace in (15, 15, 5):
            try:
                self._process.wait(grace)
                break
            except subprocess.TimeoutExpired:
                self._process.terminate()  # the first ends the run, the second one kills what is left
        else:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self.record.join()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._process = None

    def __enter__(self) -> "Run":
        return self.start()

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.stop()

    def url(self, service: str, port: Optional[int] = None) -> str:
        """Return where a Service answers: http://127.64.0.1:8080. port is its own number, if it has several."""
        for thing in self._list():
            addresses = thing.get("addresses", [])
            if thing["kind"] == "service" and thing["name"] == service and addresses:
                address = str(next((a for a in addresses if port is not None and a.endswith(f":{port}")), addresses[0]))
                return address if "://" in address else f"http://{address}"
        raise ProbityError(f"there is no Service {service} that answers anywhere")

    def pods(self, name: str) -> List[Pod]:
        """Return the Pods of a workload, or the one of that name."""
        return [pod for pod in self.record.pods() if name in (pod.workload, pod.name)]

    def restarts(self, name: str) -> int:
        """Return how often containers of a workload, or a Pod, were restarted."""
        return sum(pod.restarts for pod in self.pods(name))

    def events(self, reason: Optional[str] = None, name: Optional[str] = None, since: Optional[Fault] = None) -> List[Event]:
        """Return the Events with that reason, of that workload, Pod or Service, since that fault."""
        mine = {pod.name for pod in self.pods(name)} | {name} if name else set()
        return [
            event for event in self.record.events()
            if (reason is None or event.reason == reason) and (name is None or event.name in mine) and (since is None or event.at >= since.at)
        ]

    def log(self) -> List[str]:
        """Return what the containers have printed, each line with its Pod, and what the run itself has said."""
        return self.record.lines()

    def kill(self, name: str, container: Optional[str] = None) -> Fault:
        """Kill a container of a workload, or of a Pod, as a crash would."""
        return self.signal(name, signal.SIGKILL, container)._replace(what="kill")

    def hang(self, name: str, container: Optional[str] = None) -> Fault:
        """Stop the processes of a container: it neither answers nor ends, until it is killed or resumed, or the fault is undone."""
        return self.signal(name, signal.SIGSTOP, container)._replace(what="hang")

    def slow(self, name: str, seconds: float) -> Fault:
        """Let all that a Pod says come later by that time, to HTTP and gRPC probes and through Services, until it is undone.

        The Pod is the first of a workload that is ready. It can have one of slow, refuse and unready: the last. They are the annotation
        probity.run/fault of the Pod, which kubectl can set as well; they survive restarts, and do not touch probes that run commands.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise TypeError(f"slow takes a number of seconds, not {seconds!r}")
        return self._inject(name, f"slow={seconds:f}".rstrip("0").rstrip(".") + "s")

    def refuse(self, name: str) -> Fault:
        """Let a Pod refuse new connections, of probes and through Services, as if nobody listened, until it is undone. See slow for the rest."""
        return self._inject(name, "refuse")

    def unready(self, name: str) -> Fault:
        """Let the readiness probes of a Pod fail, and all else work, until it is undone. See slow for the rest."""
        return self._inject(name, "unready")

    def resume(self, name: str, container: Optional[str] = None) -> Fault:
        """Let a container that hangs go on."""
        return self.signal(name, signal.SIGCONT, container)._replace(what="resume")

    def signal(self, name: str, number: "signal.Signals", container: Optional[str] = None) -> Fault:
        """Send a signal to a container of a workload, or of a Pod: the first that runs, if container does not name one."""
        # A container that is just being restarted is waited for.
        running = self.record.wait(lambda: self._running(name, container) or None, 10) if self.pods(name) else None
        if not running:
            raise ProbityError(f"cannot send {number.name} to {name}: no container of it runs; there is {self._names()}")
        pod, pid = running[0]
        fault = Fault(number.name, pod, time.monotonic())
        if number == signal.SIGSTOP:
            self._hung.append(pid)
            fault = fault._replace(undo=lambda: self._continue(pid))
        _send(pid, number)
        return fault

    def requests(self, service: str, namespace: str = "default") -> Requests:
        """Return what became of the requests of a Service so far, all ports together."""
        sums: Dict[str, int] = {}
        for name, labels, value in Api(f"{self._folder}/state").samples():
            if labels.get("service") == service and labels.get("namespace") == namespace:
                sums[name] = sums.get(name, 0) + int(value)
        if "probity_proxy_lost_requests_total" not in sums:
            raise ProbityError(f"there is no Service {service} that is served in namespace {namespace}")
        total = sums.get("probity_proxy_requests_total", 0) + sums.get("probity_proxy_connections_total", 0)
        failed, lost, retried = (sums[f"probity_proxy_{what}_total"] for what in ("failed_requests", "lost_requests", "retries"))
        return Requests(total, failed, lost, retried)

    def time_to_detect(self, fault: Fault, timeout: float = 60) -> Optional[float]:
        """Return how long after a fault there was a first consequence: the Pod was not ready any more, or was killed; None if there was none."""
        return self.record.wait(lambda: self._consequence(fault), timeout)

    def wait_event(self, reason: str, name: Optional[str] = None, since: Optional[Fault] = None, timeout: float = 60) -> Event:
        """Wait for an Event, and return it. Fails the test if it does not come."""
        found = self.record.wait(lambda: next(iter(self.events(reason, name, since)), None), timeout)
        if found is None:
            raise self._failure(f"no Event {reason}{' of ' + name if name else ''} within {timeout:g} s")
        return found

    def wait_ready(self, name: str, replicas: int = 1, timeout: float = 60) -> None:
        """Wait until that many Pods of a workload are ready. Fails the test if they do not become so."""
        if self.record.wait(lambda: True if sum(pod.ready for pod in self.pods(name)) >= replicas else None, timeout) is None:
            raise self._failure(f"{name} has not {replicas} ready within {timeout:g} s")

    def wait_restarts(self, name: str, count: int, timeout: float = 60) -> None:
        """Wait until containers of a workload were restarted that often. Fails the test if they are not."""
        if self.record.wait(lambda: True if self.restarts(name) >= count else None, timeout) is None:
            raise self._failure(f"{name} was restarted {self.restarts(name)} times within {timeout:g} s, want {count}")

    def assert_detected(self, fault: Fault, within: float) -> float:
        """Fail the test unless a fault had a consequence within that time. Returns how long it took."""
        took = self.time_to_detect(fault, within + 10)
        if took is None or took > within:
            found = "not detected" if took is None else f"detected after {took:.1f} s"
            raise self._failure(f"{fault.what} of {fault.pod.name}: {found}, want within {within:g} s")
        return took

    def assert_restarts(self, name: str, count: int) -> None:
        """Fail the test unless containers of a workload were restarted exactly that often until now."""
        if self.restarts(name) != count:
            raise self._failure(f"{name} was restarted {self.restarts(name)} times, want {count}")

    def assert_lost(self, service: str, count: int, namespace: str = "default") -> None:
        """Fail the test unless exactly so many requests of a Service were lost until now, after they were sent to a replica."""
        found = self.requests(service, namespace)
        if found.lost != count:
            raise self._failure(f"{found.lost} of {found.total} requests of {service} were lost, want {count}")

    def assert_event(self, reason: str, name: Optional[str] = None) -> None:
        """Fail the test unless there was such an Event until now."""
        if not self.events(reason, name):
            raise self._failure(f"there was no Event {reason}{' of ' + name if name else ''}")

    def assert_no_event(self, reason: str, name: Optional[str] = None) -> None:
        """Fail the test if there was such an Event until now."""
        for event in self.events(reason, name):
            raise self._failure(f"there was an Event: {event}")

    def report(self) -> str:
        """Return what happened and what was printed last, for people who look into a failing test."""
        events = [str(event) for event in self.record.events()[-_SHOWN:]]
        return "\n".join([f"Events of {self._title}:", *events, f"Output of {self._title}:", *self.record.lines()[-_SHOWN:]])

    def _inject(self, name: str, value: str) -> Fault:
        """Annotate the first ready Pod of a workload with a fault, and wait until it has begun."""
        ready = self.record.wait(lambda: [pod for pod in self.pods(name) if pod.ready] or None, 10) if self.pods(name) else None
        if not ready:
            raise ProbityError(f"cannot inject {value} into {name}: no Pod of it is ready; there is {self._names()}")
        pod = ready[0]
        fault = Fault(value, pod, time.monotonic(), lambda: self._annotate(pod, None, value))
        self._annotate(pod, value)
        return fault

    def _annotate(self, pod: Pod, value: Optional[str], instead_of: Optional[str] = None) -> None:
        """Set the fault of a Pod, or remove it if it is still the one that is named, and wait until that is so."""
        if self._process is None:
            return  # the run has ended, and its faults with it
        api = Api(f"{self._folder}/state")
        now = api.pod(pod.namespace, pod.name)
        before = now["metadata"].get("annotations", {}).get(_FAULT) if now else None
        if now and (before == value or instead_of not in (None, before)):
            return
        since = time.monotonic()
        if not now or not api.annotate(pod.namespace, pod.name, pod.uid, _FAULT, value):
            if value is not None:
                raise ProbityError(f"cannot inject {value} into Pod {pod.name}: it is gone")
            return
        reasons = ("FaultEnded",) if value is None else ("FaultInjected", "FaultFailed")

        def told() -> Optional[Event]:
            return next((e for e in self.record.events() if e.reason in reasons and e.name == pod.name and e.at >= since), None)

        event = self.record.wait(told, _FAULT_TIME)
        if event is None or event.reason == "FaultFailed":
            raise ProbityError(f"{value or 'the end of ' + str(before)} for Pod {pod.name} has no effect: {event or 'nothing was heard of it'}")

    def _continue(self, pid: int) -> None:
        """Let a process that was stopped go on, if its container still runs."""
        if any(pid in pod.pids.values() for pod in self.record.pods()):
            _send(pid, signal.SIGCONT)

    def _names(self) -> str:
        return ", ".join(sorted({pod.workload for pod in self.record.pods()})) or "nothing"

    def _running(self, name: str, container: Optional[str]) -> List[Tuple[Pod, int]]:
        """Return the processes of containers."""
        return [(pod, pid) for pod in self.pods(name) for of, pid in pod.pids.items() if container in (None, of)]

    def _list(self) -> List[Mapping[str, Any]]:
        """Return what there is, as `probity ps` lists it."""
        ended = _program.run(["ps", "-o", "json", f"--state-dir={self._folder}/state"])
        if ended.returncode != 0:
            raise ProbityError(f"cannot ask what runs: {_program.last_words(ended.stderr)}")
        objects: List[Mapping[str, Any]] = json.loads(ended.stdout)[0]["objects"]
        return objects

    def _consequence(self, fault: Fault) -> Optional[float]:
        killed = [e.at for e in self.record.events() if e.reason == "Killing" and e.name == fault.pod.name and e.at >= fault.at]
        unready = self.record.changed(fault.pod.name, False)
        times = killed[:1] + ([unready] if unready is not None and unready >= fault.at else [])
        return min(times) - fault.at if times else None

    def _failure(self, text: str) -> AssertionError:
        events = "".join(f"\n  {event}" for event in self.record.events()[-10:])
        return AssertionError(f"{text}; the last Events:{events}" if events else text)


def _send(pid: int, number: "signal.Signals") -> None:
    """Send a signal to a process, and to its whole group if it leads one."""
    try:
        if os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        pass  # it has ended
