"""What becomes of what the program says. A script stands for it here."""

from __future__ import annotations

import io
import json
import os
import tempfile
import unittest
from typing import Any, Dict, List, Optional, Tuple
from unittest import mock

from probity import (
    HealthProbe, HttpProbe, Image, InvalidError, NotReadyError, Port, ProgramMissingError, RefusedError, Service, UnreachableError, _deployment,
    _program,
)

BEGIN: Dict[str, Any] = {"kind": "begin", "context": "probity-web", "namespace": "shop"}
WEB = {"kind": "Deployment", "name": "web"}
RUNS = [{"instance": "web", "stateDir": "/state/web"}]


def made(name: str = "web") -> Service:
    return Service(
        name=name,
        image=Image(image_uri="web:1"),
        ports=[Port(port=8000)],
        liveness_probe=HealthProbe(config=HttpProbe(path="/livez", port=8000)),
    )


class DeploymentTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.program({"ls": (json.dumps(RUNS), "", 0)})

    def program(self, answers: Dict[str, Any]) -> None:
        """Let a script answer each subcommand with output, errors and an exit code."""
        script = ["#!/bin/sh", f'cd "{self.folder.name}"', 'echo "$@" >>arguments', 'cat >"$1.given"', 'cat "$1.out"; cat "$1.err" >&2; exit $(cat "$1.code")']
        path = os.path.join(self.folder.name, "probity")
        self.write("probity", "\n".join(script))
        os.chmod(path, 0o755)
        for command, (out, err, code) in answers.items():
            self.write(command + ".out", out)
            self.write(command + ".err", err)
            self.write(command + ".code", str(code))
        patch = mock.patch.dict(os.environ, {"PROBITY": path})
        patch.start()
        self.addCleanup(patch.stop)

    def write(self, name: str, text: str) -> None:
        with open(os.path.join(self.folder.name, name), "w") as f:
            f.write(text)

    def read(self, name: str) -> str:
        with open(os.path.join(self.folder.name, name)) as f:
            return f.read()

    def deploy(self, lines: List[Dict[str, Any]], errors: str = "", code: int = 0, **options: Any) -> _deployment.Deployed:
        self.program({"deploy": ("".join(json.dumps(line) + "\n" for line in lines), errors, code)})
        self.progress = io.StringIO()
        return made().deploy(workspace_fqn="local:shop", progress=self.progress, **options)

    def test_up(self) -> None:
        lines: List[Dict[str, Any]] = [
            BEGIN,
            {"kind": "applied", "object": WEB, "result": "created"},
            {"kind": "progress", "object": WEB, "ready": 0, "desired": 1, "updated": 0},
            {"kind": "progress", "object": WEB, "ready": 0, "desired": 1, "updated": 1},
            {"kind": "progress", "object": WEB, "ready": 1, "desired": 1},
            {"kind": "verdict", "object": WEB, "result": "up"},
            {"kind": "end", "exit": 0, "applied": ["deployment/web"]},
        ]
        done = self.deploy(lines)
        self.assertEqual(done, ("probity-web", "shop", ("deployment/web",)))
        self.assertEqual(
            self.progress.getvalue().splitlines(),
            ["deploying to probity-web", "deployment web created", "deployment web 0/1 ready", "deployment web 1/1 ready", "deployment web is up"],
        )
        self.assertIn("deploy - -o json --no-set --kubeconfig /state/web/kubeconfig\n", self.read("arguments"))
        self.assertIn("workspace_fqn: \"local:shop\"\n", self.read("deploy.given"))

    def test_arguments(self) -> None:
        table: Dict[str, Any] = {
            "--kubeconfig /state/web/kubeconfig --wait=false": {"wait": False},
            "--context prod": {"target": "kubernetes", "context": "prod"},
            "--kubeconfig /state/web/kubeconfig --force-conflicts --timeout=2.5s": {"force": True, "timeout": 2.5},
            "--kubeconfig /state/web/kubeconfig --check=false": {"check": False},
        }
        for want, options in table.items():
            with self.subTest(want):
                self.deploy([BEGIN, {"kind": "end", "exit": 0}], **options)
                self.assertEqual(self.read("arguments").splitlines()[-1], "deploy - -o json --no-set " + want)
        self.program({"deploy": (json.dumps(BEGIN) + "\n" + json.dumps({"kind": "end", "exit": 2, "error": "name: no"}), "", 2)})
        with self.assertRaisesRegex(RefusedError, "name: no"):
            made(name="A b").deploy()
        self.assertEqual(self.read("arguments").splitlines()[-1], "deploy - -o json --no-set --kubeconfig /state/web/kubeconfig")

    def test_wrong_arguments(self) -> None:
        table: Dict[str, Any] = {
            "workspace_fqn: cannot use integer 5 as a string": {"workspace_fqn": 5},
            "instance: cannot use a list as a string": {"instance": ["web"]},
            'timeout: cannot use string "9s": it is a number of seconds, above 0': {"timeout": "9s"},
            'wait: cannot use string "no" as a boolean': {"wait": "no"},
            "check: cannot use integer 0 as a boolean": {"check": 0},
            'progress: cannot use string "log": it is a stream, as sys.stderr is': {"progress": "log"},
            'target: cannot use string "moon": it is one of probity, kubernetes': {"target": "moon"},
            "target: cannot use null: it is one of probity, kubernetes": {"target": None},
            'context: it names a cluster: it needs target="kubernetes"': {"context": "prod"},
            'instance: it names a run of Probity: it needs target="probity"': {"target": "kubernetes", "instance": "web"},
            "timeout: cannot use integer -1: it is a number of seconds, above 0": {"timeout": -1},
        }
        for want, options in table.items():
            with self.subTest(want), self.assertRaises(InvalidError) as raised:
                made().deploy(**options)
            (problem,) = raised.exception.problems
            self.assertEqual(f"{problem.path}: {problem.message}", want)
            assert problem.place is not None
            self.assertTrue(problem.place.file.endswith("test_deployment.py"))

    def test_not_ready(self) -> None:
        verdict = {
            "kind": "verdict", "object": WEB, "result": "failed", "text": "liveness: :9999 refuses", "details": ["no container declares 9999"],
            "next": "ask 8000", "log": [{"lines": ["boom"]}],
        }
        with self.assertRaises(NotReadyError) as raised:
            self.deploy([BEGIN, verdict, {"kind": "end", "exit": 1}], code=1)
        self.assertEqual(raised.exception.causes, ("deployment web: liveness: :9999 refuses", "no container declares 9999", "next: ask 8000"))
        self.assertEqual(raised.exception.log, ("boom",))
        self.assertFalse(raised.exception.unknown)

    def test_not_known(self) -> None:
        with self.assertRaises(NotReadyError) as raised:
            self.deploy([BEGIN, {"kind": "end", "exit": 3, "error": "the time is over"}], code=3)
        self.assertTrue(raised.exception.unknown)
        self.assertIn("the time is over", str(raised.exception))

    def test_refused_with_the_line_of_the_object(self) -> None:
        why = "<stdin>:9:5: service web: liveness_probe.success_threshold: Invalid value: 3: must be 1\nnothing was sent"
        with self.assertRaises(RefusedError) as raised:
            self.deploy([BEGIN, {"kind": "end", "exit": 2, "error": why}], code=2)
        (problem,) = raised.exception.problems
        self.assertEqual((problem.path, problem.message), ("liveness_probe.success_threshold", "Invalid value: 3: must be 1"))
        assert problem.place is not None
        self.assertTrue(problem.place.file.endswith("test_deployment.py"))

    def test_refused_for_findings(self) -> None:
        finding = {"kind": "finding", "severity": "outage", "object": WEB, "rule": "never-ready", "message": "it is never ready"}
        with self.assertRaises(RefusedError) as raised:
            self.deploy([BEGIN, finding, {"kind": "end", "exit": 2, "reason": "findings", "error": "nothing was sent: it is an outage"}], code=2)
        self.assertEqual(raised.exception.problems[0].message, "it is never ready (never-ready)")

    def test_unauthorized(self) -> None:
        why = "cannot ask https://127.0.0.1:6443 what it serves: Unauthorized\nnothing was sent"
        with self.assertRaisesRegex(RefusedError, "Unauthorized"):
            self.deploy([BEGIN, {"kind": "end", "exit": 2, "error": why, "reason": "unauthorized"}], code=2)

    def test_unreachable(self) -> None:
        table: List[Tuple[str, List[Dict[str, Any]], str]] = [
            ("no answer later", [BEGIN, {"kind": "end", "exit": 2, "error": "cannot read what the set app has: https://127.0.0.1:1 does not answer", "reason": "unreachable"}], ""),
            ("no answer", [BEGIN, {"kind": "end", "exit": 2, "error": "cannot ask https://127.0.0.1:1 what it serves: connection refused"}], ""),
            ("none at all", [], "probity: no kubeconfig tells which cluster is meant: set $KUBECONFIG\n"),
            ("no kubeconfig", [], "probity: cannot use the kubeconfig: context \"x\" does not exist\n"),
        ]
        for name, lines, errors in table:
            with self.subTest(name), self.assertRaises(UnreachableError):
                self.deploy(lines, errors, 2)

    def test_which_run(self) -> None:
        runs = [{"instance": "web-1"}, {"instance": "web-12"}, {"instance": "shop"}]
        self.assertEqual(_deployment.choose(runs, "web-1")["instance"], "web-1")
        self.assertEqual(_deployment.choose(runs, "s")["instance"], "shop")
        self.assertEqual(_deployment.choose(runs[:1], None)["instance"], "web-1")
        twins = [{"instance": "web", "stateDir": "/a"}, {"instance": "web", "stateDir": "/b"}, {"instance": "shop", "stateDir": "/c"}]
        self.assertEqual(_deployment.choose(twins, "/b"), twins[1])
        with self.assertRaisesRegex(UnreachableError, "choose one of /a, /b, shop with"):
            _deployment.choose(twins, "web")
        table: List[Tuple[List[Dict[str, str]], Optional[str], str]] = [
            (runs, None, "several runs"), (runs, "x", "no run x"), (runs, "web", "several"), ([], None, "no Probity runs"),
        ]
        for given, instance, want in table:
            with self.assertRaisesRegex(UnreachableError, want):
                _deployment.choose(given, instance)

    def test_findings_and_objects(self) -> None:
        original = {"format": "TrueFoundry", "kind": "service", "name": "web"}
        found = {"findings": [
            {"rule": "r", "severity": "risk", "field": "metadata", "message": "m", "original": original},
            {"rule": "r", "severity": "risk", "field": "spec.template.spec.containers[0].name", "message": "m", "original": {**original, "field": "name"}},
        ]}
        self.program({"check": (json.dumps(found), "", 1), "render": ("kind: Deployment\n", "", 0)})
        self.assertEqual(made().findings(), [("r", "risk", "", "m"), ("r", "risk", "name", "m")])
        self.assertEqual(made().to_kubernetes(), "kind: Deployment\n")
        self.program({"check": ("", "probity: <stdin>:1: no\n", 2), "render": ("", "probity: <stdin>:1: no\n", 2)})
        for ask in (made().findings, made().to_kubernetes):
            with self.assertRaisesRegex(RefusedError, 'Service "web" was refused\n  no$'):
                ask()

    def test_no_program(self) -> None:
        with self.assertRaisesRegex(ProgramMissingError, "go build"):
            _program.find({"PATH": "/nowhere"})
        with self.assertRaisesRegex(ProgramMissingError, "/nowhere/probity, which PROBITY names"):
            _program.find({"PATH": "/nowhere", "PROBITY": "/nowhere/probity"})


if __name__ == "__main__":
    unittest.main()
