"""What the probes make of the service. `python3 -m unittest`, or pytest."""

import json
import os
import sys
import urllib.request

from probity.testing import TestCase

HERE = os.path.dirname(os.path.abspath(__file__))
# The python3 of the manifest is the one that runs this test.
PYTHON_FIRST = {"PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])}


class ServiceTest(TestCase):
    def start(self):
        return self.probity_run(os.path.join(HERE, "app.yaml"), environ=PYTHON_FIRST)

    def test_is_ready_when_the_model_is_loaded(self):
        run = self.start()
        with urllib.request.urlopen(run.url("my-service") + "/") as answer:
            self.assertEqual(json.load(answer)["message"], "Hello World")
        run.assert_restarts("my-service", 0)  # nobody is restarted because a model is being loaded

    def test_is_restarted_when_it_hangs(self):
        run = self.start()
        fault = run.hang("my-service")
        run.assert_detected(fault, within=30)
        run.wait_restarts("my-service", 1)
        run.wait_ready("my-service")


if __name__ == "__main__":
    import unittest

    unittest.main()
