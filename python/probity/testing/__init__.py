"""Tests with a service that runs under its probes: start it, break it, see what its probes make of that.

With pytest the fixture probity_run is there when the package is installed:

    def test_restarts_when_it_hangs(probity_run):
        run = probity_run("deploy/app.yaml")
        assert urllib.request.urlopen(run.url("web") + "/readyz").status == 200
        fault = run.hang("web")
        run.assert_detected(fault, within=20)
        run.wait_ready("web")
        run.assert_restarts("web", 1)

A fault can be undone, also by a with statement: slow, refuse and unready stand between a Pod and who connects to it, hang stops its processes.

    def test_a_slow_replica_is_taken_out(probity_run):
        run = probity_run("deploy/app.yaml")
        with run.slow("web", 3) as fault:
            run.assert_detected(fault, within=10)
        run.wait_ready("web", replicas=2)
        run.assert_lost("web", 0)

With unittest, TestCase has a method of the same name. What ran is stopped after the test, also when the test process is killed; each run has a state
folder and addresses of its own, so tests may run side by side if their programs listen where PORT says. When a test fails, what the containers
printed and what happened is shown with it.
"""

from .case import TestCase
from .fault import Fault, Requests
from .record import Event, Pod
from .run import Run

__all__ = ["Event", "Fault", "Pod", "Requests", "Run", "TestCase"]
