"""Finds and starts the program probity, which knows what a service means and does all that is done."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import List, Mapping, Optional

from .errors import ProgramMissingError


def find(environ: Optional[Mapping[str, str]] = None) -> str:
    """Return the path of the program: what PROBITY says, else the first of that name on the PATH."""
    environ = os.environ if environ is None else environ
    named = environ.get("PROBITY")
    path = shutil.which(named or "probity", path=environ.get("PATH"))
    if path is not None:
        return path
    if named:
        raise ProgramMissingError(f"cannot run {named}, which PROBITY names: there is no such program; unset PROBITY, or set it to the path of probity")
    raise ProgramMissingError(
        "cannot find the program probity, which does the work: build it with `go build ./cmd/probity` in its sources, "
        "and put it on the PATH or set PROBITY to its path"
    )


def run(arguments: List[str], given: str = "") -> "subprocess.CompletedProcess[str]":
    """Run the program to its end with given as its input. It is not checked how it ended."""
    try:
        return subprocess.run([find(), *arguments], input=given, capture_output=True, text=True, encoding="utf-8", errors="replace")
    except OSError as e:
        raise ProgramMissingError(f"cannot run {find()}: {e.strerror}") from None


def start(arguments: List[str], given: str) -> "subprocess.Popen[str]":
    """Start the program with given as its input, to be read while it runs: both its output and its errors."""
    program = find()
    try:
        process = subprocess.Popen(
            [program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace"
        )
    except OSError as e:
        raise ProgramMissingError(f"cannot run {program}: {e.strerror}") from None
    assert process.stdin is not None
    try:
        with process.stdin:
            process.stdin.write(given)
    except BrokenPipeError:
        pass  # it has ended before it had read everything, and says why
    return process


def last_words(text: str) -> str:
    """Return what the program has said of an error, without its name before it."""
    lines = [line[len("probity: ") :] if line.startswith("probity: ") else line for line in text.strip().splitlines()]
    return "\n".join(lines) or "probity ended without a word"
