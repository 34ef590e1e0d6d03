"""What is built and installed, and what a type checker says of it."""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import List

from . import program

USER = """
from probity import Build, DockerFileBuild, HealthProbe, HttpProbe, Port, Service
service = Service(
    name="web",
    image=Build(build_spec=DockerFileBuild()),
    ports=[Port(port=8000)],
    liveness_probe=HealthProbe(config=HttpProbe(path="/livez", port=8000)),
)
print(service.to_yaml())
"""


class PackageTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def run_in(self, *command: str, code: int = 0) -> str:
        environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env=environ)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def skip_without(self, modules: List[str]) -> None:
        missing = [m for m in modules if importlib.util.find_spec(m) is None]
        if missing:
            self.skipTest("NOT TESTED: there is no Python module " + ", ".join(missing))

    def test_wheel_and_sdist(self) -> None:
        self.skip_without(["build", "setuptools", "wheel", "venv", "ensurepip"])
        sources = os.path.join(self.folder, "sources")
        shutil.copytree(program.PACKAGE, sources, ignore=shutil.ignore_patterns("tests", "__pycache__", ".*"))
        self.run_in(sys.executable, "-m", "build", "--no-isolation", "--outdir", "out", sources)
        (wheel,) = glob.glob(os.path.join(self.folder, "out", "*.whl"))
        self.assertEqual(len(glob.glob(os.path.join(self.folder, "out", "*.tar.gz"))), 1)
        self.run_in(sys.executable, "-m", "venv", "env")
        self.run_in("env/bin/python", "-m", "pip", "install", "--quiet", "--no-index", wheel)
        self.assertIn("/env/", self.run_in("env/bin/python", "-c", "import probity; print(probity.__file__)"))
        self.assertIn("path: /livez", self.run_in("env/bin/python", "-c", USER))
        typed = self.run_in("env/bin/python", "-c", "import os, probity; print(os.listdir(os.path.dirname(probity.__file__)))")
        self.assertIn("py.typed", typed)
        entry = "from importlib.metadata import entry_points as e; print([p.value for p in e(group='pytest11')] if hasattr(e(), 'select') else e())"
        self.assertIn("probity.testing.plugin", self.run_in("env/bin/python", "-c", entry))

    def test_types(self) -> None:
        mypy = shutil.which("mypy")
        self.skip_without(["pytest"])
        if mypy is None:
            self.skipTest("NOT TESTED: there is no mypy")
        check = [mypy, "--strict", "--cache-dir", os.path.join(self.folder, "cache"), "--python-executable", sys.executable]
        environ = {**os.environ, "MYPYPATH": program.PACKAGE}
        users = {
            "right": (USER, ""),
            "misspelt": (USER.replace("HealthProbe", "HealthProve"), 'has no attribute "HealthProve"'),
            "of_another_type": (USER.replace("port=8000)]", 'port="x")]'), 'expected "int"'),
            "unknown": (USER.replace("liveness_probe", "livenes_probe"), '"livenes_probe"'),
        }
        for name, (text, _) in users.items():
            with open(os.path.join(self.folder, name + ".py"), "w") as f:
                f.write(text)
        told = subprocess.run([*check, *(name + ".py" for name in users)], cwd=self.folder, capture_output=True, text=True, env=environ)
        for name, (_, want) in users.items():
            with self.subTest(name):
                self.assertIn(want, "".join(line for line in told.stdout.splitlines() if line.startswith(name + ".py:")))
        self.assertNotIn("right.py:", told.stdout)
        told = subprocess.run([*check, "--python-version", "3.9", "probity", "tests"], cwd=program.PACKAGE, capture_output=True, text=True)
        self.assertEqual(told.returncode, 0, told.stdout)


if __name__ == "__main__":
    unittest.main()
