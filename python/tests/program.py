"""The program probity, for tests that need it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import unittest
from typing import Any, Iterator
from unittest import mock

from probity import ProgramMissingError, _program

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTDATA = os.path.join(PACKAGE, "tests", "testdata")
# The python3 of manifests is the one that runs the tests.
PYTHON_FIRST = {"PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])}


def needed(case: Any) -> Any:
    """Skip a test, or all of a class, if there is no program; in CI that is a failure."""
    try:
        _program.find()
        return case
    except ProgramMissingError as e:
        if os.environ.get("CI"):
            raise
        return unittest.skip(f"NOT TESTED: {e}")(case)


@contextlib.contextmanager
def running(*arguments: str, folder: str = TESTDATA) -> Iterator[str]:
    """Let an empty Probity run in a folder, the only one that `probity ls` lists. It yields the state folder."""
    with tempfile.TemporaryDirectory() as home:
        state = os.path.join(home, "run")
        with mock.patch.dict(os.environ, {**PYTHON_FIRST, "XDG_STATE_HOME": home}):
            begun = [_program.find(), "run", "-d", "--no-dashboard", "--state-dir", state, *arguments]
            # What goes on in the background keeps no pipe of ours.
            with open(os.path.join(home, "said"), "w+") as said:
                if subprocess.run(begun, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said).returncode != 0:
                    said.seek(0)
                    raise AssertionError(said.read())
            try:
                yield state
            finally:
                subprocess.run([_program.find(), "stop", "--state-dir", state], check=True, capture_output=True)


@contextlib.contextmanager
def no_runs() -> Iterator[None]:
    """Let `probity ls` list nothing."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"XDG_STATE_HOME": folder}):
        yield
