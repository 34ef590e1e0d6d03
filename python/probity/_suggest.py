"""What somebody who misspelt a name has probably meant."""

from __future__ import annotations

import difflib
from typing import Iterable, Optional


def guess(name: str, known: Iterable[str]) -> Optional[str]:
    """Return the known name that is nearest to name, or None if none is near.

    Case and underscores do not count, so livenessProbe is liveness_probe.
    """
    by_letters = {_letters(k): k for k in known}
    near = difflib.get_close_matches(_letters(name), list(by_letters), n=1, cutoff=0.75)
    return by_letters[near[0]] if near else None


def hint(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: empty, or what was probably meant."""
    meant = guess(name, known)
    return f", did you mean {meant}?" if meant else ""


def _letters(name: str) -> str:
    return name.replace("_", "").lower()
