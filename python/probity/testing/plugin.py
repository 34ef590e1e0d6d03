"""For pytest, which finds it by the entry point of this package."""

from __future__ import annotations

from typing import Any, Callable, Generator, List

import pytest

from .run import Run


@pytest.fixture
def probity_run(request: pytest.FixtureRequest) -> Generator[Callable[..., Run], None, None]:
    """Start manifests or a Service: probity_run("app.yaml"). The arguments are those of probity.testing.Run; it is stopped after the test."""
    runs: List[Run] = []
    request.node._probity_runs = runs

    def start(*what: Any, **options: Any) -> Run:
        run = Run(*what, **options)
        runs.append(run.start())
        return run

    yield start
    for run in reversed(runs):
        run.stop()


def _show(item: pytest.Item) -> Generator[None, Any, None]:
    """Show with a failing test what its services did."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        of_case = getattr(getattr(item, "instance", None), "_runs", ())
        for run in getattr(item, "_probity_runs", of_case):
            report.sections.append(("probity run", run.report()))


pytest_runtest_makereport = pytest.hookimpl(hookwrapper=True)(_show)
