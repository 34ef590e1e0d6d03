"""The example of a deploy.py that people begin with, word for word, with its slips one after the other."""

from __future__ import annotations

import io
import json
import os
import re
import urllib.request
import unittest
from typing import Any, Dict
from unittest import mock

from probity import HealthProbe, HttpProbe, NotReadyError, RefusedError, Service, UnreachableError, _program

from . import program


def seed() -> str:
    """Return the example, after its import line was changed."""
    with open(os.path.join(program.TESTDATA, "seed.py.txt")) as f:
        return f.read().replace("from truefoundry.deploy import", "from probity import")


def mended() -> str:
    """Return the example without the marks of a difference, and with its comma: what Python itself asks for."""
    return re.sub(r"(?m)^\+ ?", "", seed()).replace("\n]\n", "\n],\n")


def execute(text: str) -> Dict[str, Any]:
    """Run a program, and return what it has defined. It is no file, so lines have this name."""
    names: Dict[str, Any] = {}
    exec(compile(text, "deploy.py", "exec"), names)
    return names


def service(**fields: Any) -> Service:
    """Return the service of the example, after its slips are mended, but for these fields."""
    made: Service = execute(mended().replace("HealthProve", "HealthProbe").split("service.deploy")[0])["service"]
    for name, value in fields.items():
        setattr(made, name, value)
    return made


class SlipsTest(unittest.TestCase):
    def test_python_tells_the_comma(self) -> None:
        with self.assertRaises(SyntaxError):
            compile(seed(), "deploy.py", "exec")

    def test_the_misspelt_import(self) -> None:
        with self.assertRaisesRegex(ImportError, "there is no HealthProve, did you mean HealthProbe?"):
            execute(mended())

    def test_nobody_to_deploy_to(self) -> None:
        with self.assertRaisesRegex(UnreachableError, "probity run -d"), program.no_runs():
            execute(mended().replace("HealthProve", "HealthProbe"))


@program.needed
class SeedTest(unittest.TestCase):
    def test_the_same_objects_as_of_yaml(self) -> None:
        with open(os.path.join(program.TESTDATA, "seed.yaml")) as f:
            of_yaml = _program.run(["render", "-"], f.read())
        self.assertEqual(of_yaml.returncode, 0)
        self.assertEqual(service().to_kubernetes(), of_yaml.stdout)
        with open(os.path.join(program.TESTDATA, "seed.kubernetes.yaml")) as f:
            self.assertEqual(of_yaml.stdout, f.read())

    def test_its_probes_ask_where_nobody_listens(self) -> None:
        (found,) = [f for f in service().findings() if f.rule == "probe-port-undeclared"]
        self.assertIn("port 8000, which no container declares (declared: http 8501)", found.message)

    def test_its_table_of_parameters(self) -> None:
        probe = HealthProbe(
            config=HttpProbe(path="/health", port=8080), initial_delay_seconds=10, period_seconds=5, timeout_seconds=2, success_threshold=3, failure_threshold=2,
        )
        with self.assertRaises(RefusedError) as raised:
            service(liveness_probe=probe).to_kubernetes()
        (problem,) = raised.exception.problems
        self.assertEqual(problem.path, "liveness_probe.success_threshold")
        self.assertTrue(problem.message.startswith("must be 1: Kubernetes refuses 3 for a liveness_probe"), problem.message)
        assert problem.place is not None
        self.assertTrue(problem.place.file.endswith("test_seed.py"))
        of_kubernetes = service(readiness_probe=probe).to_kubernetes()
        for want in ("path: /health", "port: 8080", "initialDelaySeconds: 10", "periodSeconds: 5", "timeoutSeconds: 2", "successThreshold: 3", "failureThreshold: 2"):
            self.assertIn(want, of_kubernetes)

    def test_it_is_deployed(self) -> None:
        """The workspace is a placeholder, and the image has no command: the run is told which program stands for it."""
        text = mended().replace("HealthProve", "HealthProbe").replace("port=8501", "port=8000")
        with program.running("--command", "my-service=python3 web.py") as state:
            made: Service = execute(text)["service"]
            progress = io.StringIO()
            made.replicas = 2
            done = made.deploy(workspace_fqn="local:shop", progress=progress)
            self.assertEqual(sorted(done.applied), ["deployment/my-service", "service/my-service"])
            self.assertEqual(progress.getvalue().splitlines()[-1], "deployment my-service is up")
            self.assertRegex(progress.getvalue(), r"(?m)^not applied: deploy\.py:6: ports\[0\]\.host: it belongs to an ingress")
            with mock.patch.dict(os.environ, {"KUBECONFIG": f"{state}/kubeconfig"}):
                done = made.deploy(workspace_fqn="local:shop", target="kubernetes", context="probity-run", progress=progress)
            self.assertEqual((done.context, done.namespace), ("probity-run", "default"))
            told = json.loads(_program.run(["ps", "-o", "json", "--state-dir", state]).stdout)[0]["objects"]
            pods = {thing["namespace"]: thing for thing in told if thing["kind"] == "deployment"}
            self.assertEqual({name: (thing["ready"], thing["desired"]) for name, thing in pods.items()}, {"default": (1, 1), "shop": (2, 2)})
            for thing in told:
                for address in thing.get("addresses", []):
                    with urllib.request.urlopen(f"{address}/readyz") as answer:
                        self.assertEqual(answer.status, 200)

    def test_it_does_not_come_up(self) -> None:
        with program.running("--command", "my-service=sh -c 'echo no model; exit 1'"):
            with self.assertRaises(NotReadyError) as raised:
                service().deploy(timeout=10, progress=io.StringIO())
        self.assertIn("deployment my-service: ", str(raised.exception))
        self.assertIn("no model", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
