"""Lets the program probity judge and deploy a service, and puts what it says into objects and errors of Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, TextIO, Tuple

from . import _program
from ._objects import Object
from ._values import describe
from .errors import NotReadyError, Place, Problem, RefusedError, UnreachableError

EXIT_REFUSED, EXIT_UNKNOWN = 2, 3
_REMARKS = ("not applied: ", "warning: ")  # on fields that have no meaning here, or hardly the meant one


class Options(NamedTuple):
    """How to deploy, as Service.deploy describes it."""

    target: str
    context: Optional[str]
    instance: Optional[str]
    force: bool
    wait: bool
    timeout: Optional[float]
    progress: Optional[TextIO]
    check: bool


class Finding(NamedTuple):
    """Something that probity check has found."""

    rule: str
    """Its name, which `probity explain` tells more about."""
    severity: str
    """outage, risk, waste or style."""
    field: str
    """Its path in the service: readiness_probe.config.port. Empty for the whole."""
    message: str
    """What it leads to."""


class Deployed(NamedTuple):
    """What was deployed."""

    context: str
    """The context of the kubeconfig that it went to."""
    namespace: str
    """The namespace of objects that name none."""
    applied: Sequence[str]
    """The objects, as kind/name."""


def render(service: Object, document: str) -> str:
    """Return the objects of Kubernetes that a document becomes."""
    ended = _program.run(["render", "-"], document)
    if ended.returncode != 0:
        raise RefusedError(service._title(), _problems(service, ended.stderr))
    return ended.stdout


def check(service: Object, document: str) -> List[Finding]:
    """Return what is found in a document."""
    ended = _program.run(["check", "-o", "json", "-"], document)
    try:
        found = json.loads(ended.stdout)["findings"]
    except (ValueError, KeyError):
        raise RefusedError(service._title(), _problems(service, ended.stderr)) from None
    return [Finding(f["rule"], f["severity"], f.get("original", f).get("field", ""), f["message"]) for f in found]


def deploy(service: Object, document: str, options: Options) -> Deployed:
    """Deploy a document, and tell how it goes."""
    server = _where(options)
    # A set would be for pruning, which nobody does here, and what has one is another object than the same service from Go.
    arguments = ["deploy", "-", "-o", "json", "--no-set", *server]
    if options.force:
        arguments.append("--force-conflicts")
    if not options.check:
        arguments.append("--check=false")
    if not options.wait:
        arguments.append("--wait=false")
    if options.timeout is not None:
        arguments.append(f"--timeout={options.timeout:g}s")
    told = _Told(service, sys.stderr if options.progress is None else options.progress)
    code, errors = _follow(arguments, document, told)
    missing = re.search(r'namespaces "([^"]+)" not found', str(told.ended.get("error")))
    if code == EXIT_REFUSED and missing and options.target == "probity":
        # On a cluster it is for others to make namespaces; here they are nobody's.
        namespace = f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {missing.group(1)}\n"
        _program.run(["deploy", "-", "--no-set", "--wait=false", *server], namespace)
        code, errors = _follow(arguments, document, told)
    return told.end(code, errors)


def _follow(arguments: List[str], document: str, told: "_Told") -> Tuple[int, str]:
    """Run the program, and return its exit code and its errors."""
    process = _program.start(arguments, document)
    assert process.stdout is not None
    try:
        errors = _Reader(process, told)
        for line in process.stdout:
            told.take(line)
        return process.wait(), errors.text()
    finally:
        if process.poll() is None:
            process.terminate()  # we were interrupted; what is applied stays
            process.wait()
        process.stdout.close()


def contradictions(options: Mapping[str, object]) -> Dict[str, str]:
    """Return what is wrong with target, context and instance, by their names: each of the latter is for one target."""
    target = options["target"]
    wrong: Dict[str, str] = {}
    if target not in ("probity", "kubernetes"):
        wrong["target"] = f"cannot use {describe(target)}: it is one of probity, kubernetes"
    if options["context"] is not None and target == "probity":
        wrong["context"] = 'it names a cluster: it needs target="kubernetes"'
    if options["instance"] is not None and target == "kubernetes":
        wrong["instance"] = 'it names a run of Probity: it needs target="probity"'
    return wrong


def _where(options: Options) -> List[str]:
    """Return the arguments that name the server."""
    if options.target == "kubernetes":
        return [] if options.context is None else ["--context", options.context]
    ended = _program.run(["ls", "-o", "json"])
    try:
        runs = json.loads(ended.stdout)
    except ValueError:
        raise UnreachableError(f"cannot list the runs of Probity: {_program.last_words(ended.stderr)}") from None
    return ["--kubeconfig", f'{choose(runs, options.instance)["stateDir"]}/kubeconfig']


def choose(runs: Sequence[Mapping[str, Any]], instance: Optional[str]) -> Mapping[str, Any]:
    """Return the run that instance names, by its name or its state folder, or the only one."""
    matching = [run for run in runs if instance is None or run["instance"].startswith(instance) or run.get("stateDir") == instance]
    exact = [run for run in matching if instance in (run["instance"], run.get("stateDir"))]
    if len(exact or matching) == 1:
        return (exact or matching)[0]
    called = [str(run["instance"]) for run in runs]  # two folders of one name may have a run each, which their state folders tell apart
    names = ", ".join(name if called.count(name) == 1 else str(run.get("stateDir")) for name, run in zip(called, runs))
    if not runs:
        raise UnreachableError('no Probity runs: start one with `probity run -d`, or deploy to a cluster with target="kubernetes"')
    if not matching:
        raise UnreachableError(f"there is no run {instance}: there are {names}")
    raise UnreachableError(f"there are several runs: choose one of {names} with instance=…")


class _Told:
    """What a deployment has told, and what people are told of it."""

    def __init__(self, service: Object, progress: TextIO) -> None:
        self.service = service
        self.begun: Optional[Mapping[str, Any]] = None
        self.ended: Mapping[str, Any] = {}
        self.findings: List[Mapping[str, Any]] = []
        self.verdicts: List[Mapping[str, Any]] = []
        self.progress = progress
        self.shown: Set[str] = set()  # of what is told again when it is tried again
        self.last = ""
        self.lock = threading.Lock()  # for the three above

    def take(self, line: str) -> None:
        """Take a line of JSON."""
        try:
            told = json.loads(line)
        except ValueError:
            return
        kind = told.get("kind")
        if kind == "begin":
            self.begun = told
        elif kind == "end":
            self.ended = told
        elif kind == "finding":
            self.findings = [f for f in self.findings if f["message"] != told["message"]] + [told]
        elif kind == "verdict":
            self.verdicts.append(told)
        for text in _sentences(told):
            self.say(text, once=kind in ("begin", "finding"))

    def remark(self, line: str) -> None:
        """Take a line about a field of the service: that it has no meaning here, or hardly the meant one."""
        kind, _, text = line.partition(": ")
        for problem in _problems(self.service, text):
            self.say(f"{kind}: {problem}", once=True)

    def say(self, text: str, once: bool = False) -> None:
        """Print a line of progress, unless it is the one before."""
        with self.lock:
            if text != self.last and text not in self.shown:
                print(text, file=self.progress, flush=True)
            self.last = text
            if once:
                self.shown.add(text)

    def end(self, code: int, errors: str) -> Deployed:
        """Return what was deployed, or raise why it was not."""
        title = self.service._title()
        why = str(self.ended.get("error") or _program.last_words(errors))
        if code == 0 and self.begun is not None:
            return Deployed(str(self.begun["context"]), str(self.begun["namespace"]), tuple(self.ended.get("applied", ())))
        if code == EXIT_REFUSED:
            reason = self.ended.get("reason")
            if reason == "unreachable" or reason is None and re.match(r"(no kubeconfig|cannot (ask|read the kubeconfig|use the kubeconfig|reach|connect))\b", why):
                raise UnreachableError(f"{title} cannot be deployed: {why}")
            raise RefusedError(title, _problems(self.service, self._outages() if self.ended.get("reason") == "findings" else why))
        causes = [text for v in self.verdicts if v.get("result") != "up" for text in _reasons(v)]
        log = [line for v in self.verdicts for entry in v.get("log") or () for line in entry.get("lines") or ()]
        raise NotReadyError(title, causes or [why], log, unknown=code == EXIT_UNKNOWN)

    def _outages(self) -> str:
        return "\n".join(f'{f["message"]} ({f["rule"]})' for f in self.findings if f["severity"] == "outage")


def _sentences(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield what people are told of a line of probity deploy -o json."""
    kind, name = told.get("kind"), _name(told.get("object"))
    if kind == "begin":
        yield f'deploying to {told["context"]}'
    elif kind == "finding":
        yield f'{told["severity"]}: {name}: {told["message"]} ({told["rule"]})'
    elif kind == "applied":
        yield f'{name} {told["result"]}'
    elif kind in ("note", "warning"):
        yield f'{kind}: {told["text"]}'
    elif kind == "progress":
        yield f'{name} {told["ready"]}/{told["desired"]} ready'
    elif kind == "cause":
        yield f'{name} waits: {told["text"]}'
    elif kind == "verdict" and told.get("result") == "up":
        yield f"{name} is up"


def _reasons(verdict: Mapping[str, Any]) -> Iterator[str]:
    """Yield why something is not up, and what to do next."""
    yield f'{_name(verdict.get("object"))}: {verdict.get("text") or verdict.get("result")}'
    yield from verdict.get("details") or ()
    if verdict.get("next"):
        yield f'next: {verdict["next"]}'
    for other in verdict.get("also") or ():
        yield f'also: {other["text"]}'


def _name(thing: Optional[Mapping[str, Any]]) -> str:
    return f'{str(thing["kind"]).lower()} {thing["name"]}' if thing else ""


_SENTENCE = re.compile(r"(?:<stdin>:(?:\d+:)*\s*)?(?P<rest>.*)")
_PATH = re.compile(r"[a-z_][a-z0-9_]*(?:\[\d+\]|\.[^.\[\]]+)*$")  # a label or a variable may have any name


def _problems(service: Object, text: str) -> List[Problem]:
    """Return the problems that the program tells, one a line, with the lines of Python that made the objects."""
    problems = []
    for line in _program.last_words(text).splitlines():
        found = _SENTENCE.match(line)
        rest = found.group("rest") if found else line
        path, message = "", rest
        parts = rest.split(": ")
        for i, part in enumerate(parts[:-1]):
            if _PATH.match(part) and part.split(".")[0].split("[")[0] in service.__dict__:
                path, message = part, ": ".join(parts[i + 1 :])
                break
        if line.strip() and line != "nothing was sent" and not line.startswith(_REMARKS):
            problems.append(Problem(path, message, _made(service, path) if path else None))
    return problems


def _made(value: Any, path: str) -> Optional[Place]:
    """Return where the innermost object on a path was made."""
    place: Optional[Place] = value.__dict__["_place"]
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, Object):
            value = value.__dict__.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            break
        if isinstance(value, Object):
            place = value.__dict__["_place"]
    return place


class _Reader:
    """Reads what a process says beside its output, so that it never waits for us: remarks, and errors."""

    def __init__(self, process: "subprocess.Popen[str]", told: _Told) -> None:
        self._told = told
        self._errors: List[str] = []
        assert process.stderr is not None
        self._thread = threading.Thread(target=self._read, args=(process.stderr,), daemon=True)
        self._thread.start()

    def _read(self, stream: TextIO) -> None:
        with stream:
            for line in stream:
                if line.startswith(_REMARKS):
                    self._told.remark(line.rstrip("\n"))
                else:
                    self._errors.append(line)

    def text(self) -> str:
        """Return the errors; the process has ended."""
        self._thread.join()
        return "".join(self._errors)
