"""The example with FastAPI: its own tests, and its deploy.py."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import unittest
import urllib.request

from probity import _program

from . import program

EXAMPLE = os.path.join(os.path.dirname(program.PACKAGE), "examples", "fastapi")


@program.needed
class ExampleTest(unittest.TestCase):
    def setUp(self) -> None:
        missing = [name for name in ("fastapi", "uvicorn") if importlib.util.find_spec(name) is None]
        if missing:
            self.skipTest("NOT TESTED: there is no Python module " + ", ".join(missing))
        self.environ = {**os.environ, **program.PYTHON_FIRST, "PYTHONPATH": program.PACKAGE}

    def test_its_tests(self) -> None:
        done = subprocess.run([sys.executable, "-m", "unittest", "test_service"], cwd=EXAMPLE, env=self.environ, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_it_is_deployed(self) -> None:
        with program.running(folder=EXAMPLE) as state:
            environ = {**self.environ, "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]}
            done = subprocess.run([sys.executable, "deploy.py", "--workspace", "local:shop"], cwd=EXAMPLE, env=environ, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stderr.splitlines()[-1], "deployment my-service is up")
            told = json.loads(_program.run(["ps", "-o", "json", "--state-dir", state]).stdout)[0]["objects"]
            (address,) = [a for thing in told for a in thing.get("addresses", [])]
            with urllib.request.urlopen(f"{address}/") as answer:
                self.assertEqual(json.load(answer)["message"], "Hello World")


if __name__ == "__main__":
    unittest.main()
