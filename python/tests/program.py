"""The program probity, for tests that need it."""

from __future__ import annotations

import os
import sys
import unittest
from typing import Any

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
