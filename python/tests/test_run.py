"""Tests with a service that runs under its probes."""

from __future__ import annotations

import importlib.util
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from typing import Any, Callable, List

from probity import Build, DockerFileBuild, HealthProbe, HttpProbe, NotReadyError, Port, ProbityError, RefusedError, Service
from probity.testing import Run, TestCase

from . import program

MANIFEST = os.path.join(program.TESTDATA, "web.yaml")


@program.needed
class RunTest(TestCase):
    def start(self) -> Run:
        return self.probity_run(MANIFEST, environ=program.PYTHON_FIRST)

    def test_a_hang_is_detected(self) -> None:
        run = self.start()
        fault = run.hang("web")
        took = run.assert_detected(fault, within=30)
        self.assertGreater(took, 0)
        self.assertEqual(fault.what, "hang")
        killing = run.wait_event("Killing", "web", since=fault)
        self.assertIn("failed liveness probe", killing.message)
        run.wait_restarts("web", 1)
        run.wait_ready("web")
        run.assert_event("Unhealthy", "web")
        with urllib.request.urlopen(run.url("web", 8000)) as answer:
            self.assertEqual(answer.status, 200)

    def test_a_crash_is_detected_and_assertions_fail(self) -> None:
        run = self.start()
        run.assert_no_event("Evicted")
        fault = run.kill("web")
        run.assert_detected(fault, within=30)
        run.wait_restarts("web", 1)
        wrongs: List[Callable[[], object]] = [
            lambda: run.assert_restarts("web", 0), lambda: run.assert_no_event("Started", "web"), lambda: run.assert_event("Evicted", "web"),
            lambda: run.wait_event("Evicted", timeout=0.01), lambda: run.wait_restarts("web", 9, timeout=0.01),
            lambda: run.wait_ready("web", replicas=9, timeout=0.01),
        ]
        for wrong in wrongs:
            with self.assertRaisesRegex(AssertionError, "the last Events:\n  "):
                wrong()
        with self.assertRaisesRegex(Exception, "no container of it runs; there is web"):
            run.kill("wbe")
        self.assertIn("web listens at", run.report())

    def test_faults_between_a_pod_and_who_connects_to_it(self) -> None:
        run = self.start()
        url = run.url("web")
        with run.unready("web") as fault:
            self.assertEqual(fault.what, "unready")
            run.assert_detected(fault, within=30)
            self.assertIn("503", run.wait_event("Unhealthy", "web", since=fault).message)
        self.assertIn("unready ended after", run.wait_event("FaultEnded", "web", since=fault).message)
        run.wait_ready("web")
        slow = run.slow("web", 0.25)
        begun = time.monotonic()
        with urllib.request.urlopen(url) as answer:
            self.assertEqual(answer.status, 200)
        self.assertGreaterEqual(time.monotonic() - begun, 0.25)
        refuse = run.refuse("web")
        slow.undo()  # another fault has taken its place
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url)
        refused.exception.close()
        refuse.undo()
        refuse.undo()
        run.wait_ready("web")
        seen = [event.message.partition(",")[0].partition(" ")[0] for event in run.events("FaultInjected", "web")]
        self.assertEqual(seen, ["unready", "slow=250ms", "refuse"])
        self.assertEqual(len(run.events("FaultEnded", "web")), 3)
        run.assert_lost("web", 0)
        with self.assertRaisesRegex(AssertionError, "0 of [0-9]+ requests of web were lost, want 7; the last Events"):
            run.assert_lost("web", 7)
        requests = run.requests("web")
        self.assertEqual((requests.failed, requests.lost, requests.total > 1), (1, 0, True), requests)

    def test_faults_that_cannot_be(self) -> None:
        run = self.start()
        with self.assertRaisesRegex(RefusedError, "slow=0s for Pod web-.* was refused\n.*probity.run/fault.*must be a time above 0 and at most 10m"):
            run.slow("web", 0)
        wrong: Any = "2s"
        with self.assertRaisesRegex(TypeError, "slow takes a number of seconds, not '2s'"):
            run.slow("web", wrong)
        with self.assertRaisesRegex(ProbityError, "cannot inject refuse into wbe: no Pod of it is ready; there is web"):
            run.refuse("wbe")
        with self.assertRaisesRegex(ProbityError, "there is no Service wbe that is served"):
            run.requests("wbe")
        hang = run.hang("web")
        hang.undo()
        hang.undo()
        fault = run.refuse("web")
        run.stop()
        fault.undo()
        hang.undo()

    def test_runs_beside_each_other(self) -> None:
        runs: List[Run] = []
        threads = [threading.Thread(target=lambda: runs.append(self.start())) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        served = set()
        for run in runs:
            with urllib.request.urlopen(run.url("web")) as answer:
                served.add(int(answer.read()))
            self.assertEqual(run.pods("web")[0].pids["web"] in served, True)
        self.assertEqual(len(served), 3)

    def test_a_service_and_the_program_that_stands_for_it(self) -> None:
        probe = HealthProbe(config=HttpProbe(path="/readyz", port=8000), period_seconds=1)
        service = Service(name="web", image=Build(build_spec=DockerFileBuild()), ports=[Port(port=8000)], readiness_probe=probe)
        stands = f"python3 {os.path.join(program.TESTDATA, 'web.py')}"
        run = self.probity_run(service, commands={"web": stands}, environ=program.PYTHON_FIRST, arguments=["--max-pods=3"])
        self.assertEqual([(pod.workload, pod.ready) for pod in run.pods("web")], [("web", True)])
        with urllib.request.urlopen(run.url("web")) as answer:
            self.assertEqual(answer.status, 200)
        run.record.wait(lambda: True if any("web listens at" in line for line in run.log()) else None, 60)
        fault = run.signal("web", signal.SIGSTOP)
        self.assertIsNone(run.time_to_detect(run.resume("web"), timeout=0.01))
        self.assertEqual(fault.pod.name, run.pods("web")[0].name)

    def test_what_does_not_become_ready(self) -> None:
        with open(MANIFEST) as f:
            text = f.read().replace("/readyz", "/nope").replace("web.py", os.path.join(program.TESTDATA, "web.py"))
        before, _, probes = text.partition("        startupProbe:")
        text = before + probes[probes.index("        readinessProbe:"):]  # which is asked from the start, and restarts nothing
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "web.yaml")
            with open(path, "w") as f:
                f.write(text)
            with self.assertRaisesRegex(NotReadyError, "404"):
                self.probity_run(path, environ=program.PYTHON_FIRST, timeout=15)
            with self.assertRaisesRegex(NotReadyError, "nothing.yaml"):
                self.probity_run(os.path.join(folder, "nothing.yaml"))
        with self.assertRaises(ValueError):
            Run()

    def test_it_ends_with_the_test_process(self) -> None:
        script = (
            "import sys; sys.path.insert(0, sys.argv[1])\n"
            "from probity.testing import Run\n"
            "run = Run(sys.argv[2]).start()\n"
            "print(run._process.pid, run._folder, flush=True)\n"
            "sys.stdin.read()\n"
        )
        child = subprocess.Popen(
            [sys.executable, "-c", script, program.PACKAGE, MANIFEST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **program.PYTHON_FIRST},
        )
        assert child.stdout and child.stdin
        with child.stdout, child.stdin:
            pid, folder = child.stdout.readline().split()
            run = os.pidfd_open(int(pid))
            child.send_signal(signal.SIGKILL)
            child.wait()
        with os.fdopen(run):
            self.assertTrue(select.select([run], [], [], 60)[0], "the run goes on without its test")
        shutil.rmtree(folder)

    def test_a_failing_test_shows_what_happened(self) -> None:
        if importlib.util.find_spec("pytest") is None:
            self.skipTest("NOT TESTED: there is no python3-pytest")
        text = (
            "from probity.testing import TestCase\n"
            f"def test_fixture(probity_run):\n    probity_run({MANIFEST!r}).assert_restarts('web', 7)\n"
            f"class CaseTest(TestCase):\n    def test_case(self):\n        self.probity_run({MANIFEST!r}).assert_restarts('web', 8)\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "test_shown.py")
            with open(path, "w") as f:
                f.write(text)
            env = {**os.environ, **program.PYTHON_FIRST, "PYTHONPATH": program.PACKAGE, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
            by_pytest = [sys.executable, "-m", "pytest", "-p", "probity.testing.plugin", "-p", "no:cacheprovider", path]
            told = subprocess.run(by_pytest, env=env, capture_output=True, text=True)
            self.assertEqual(told.stdout.count("- probity run -"), 2, told.stdout)
            self.assertEqual(told.stdout.count("web listens at"), 2, told.stdout)
            self.assertIn("web was restarted 0 times, want 7", told.stdout)
            told = subprocess.run([sys.executable, "-m", "unittest", "test_shown.CaseTest"], cwd=folder, env=env, capture_output=True, text=True)
            self.assertIn("web listens at", told.stderr)
            self.assertIn("web was restarted 0 times, want 8", told.stderr)


if __name__ == "__main__":
    unittest.main()
