"""Tests with a service that runs under its probes: start it, break it, see what its probes make of that.

With pytest the fixture probity_run is there when the package is installed:

    def test_restarts_when_it_hangs(probity_run):
        run = probity_run("deploy/app.yaml")
        assert urllib.request.urlopen(run.url("web") + "/readyz").status == 200
        fault = run.hang("web")
        run.assert_detected(fault, within=20)
        run.wait_ready("web")
        run.assert_restarts("web", 1)

With unittest, TestCase has a method of the same name. What ran is stopped after the test, also when the test process is killed; each run has a state
folder and addresses of its own, so tests may run side by side if their programs listen where PORT says. When a test fails, what the containers
printed and what happened is shown with it.
"""

from .case import TestCase
from .record import Event, Pod
from .run import Fault, Run

__all__ = ["Event", "Fault", "Pod", "Run", "TestCase"]
