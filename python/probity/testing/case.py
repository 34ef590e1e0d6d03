"""For unittest."""

from __future__ import annotations

import sys
import unittest
from typing import Any, List, Mapping, Optional, Sequence

from .run import Run, What


class TestCase(unittest.TestCase):
    """A test case whose services are stopped after each test; what they printed is shown if it fails."""

    def probity_run(
        self,
        *what: What,
        commands: Optional[Mapping[str, str]] = None,
        environ: Optional[Mapping[str, str]] = None,
        arguments: Sequence[str] = (),
        timeout: float = 60,
    ) -> Run:
        """Start manifests or a Service, and return when everything is ready. The arguments are those of Run."""
        run = Run(*what, commands=commands, environ=environ, arguments=arguments, timeout=timeout)
        self._runs.append(run.start())
        self.addCleanup(run.stop)
        return run

    def run(self, result: Optional[unittest.TestResult] = None) -> Any:
        """Run the test."""
        self._runs: List[Run] = []
        result = self.defaultTestResult() if result is None else result
        before = _failed(result)
        answer = super().run(result)
        if _failed(result) > before:
            for run in self._runs:
                print(f"\n{self.id()}\n{run.report()}", file=sys.stderr, flush=True)
        return answer


def _failed(result: unittest.TestResult) -> int:
    """Return how many tests have failed, as far as the result counts: that of pytest does not, whose reports its plugin completes."""
    return len(getattr(result, "failures", ())) + len(getattr(result, "errors", ()))
