"""What somebody who misspelt a name has probably meant: as the program probity guesses, so that both say the same."""

from __future__ import annotations

import re
from typing import Iterable, List, Optional

_TOO_LONG = 64  # a bound on the work; no name comes near it


def guess(name: str, known: Iterable[str]) -> Optional[str]:
    """Return the known name that is nearest to name, or None if none is near. livenessProbe is liveness_probe."""
    known = list(known)
    snake = re.sub("(?<!^)([A-Z])", r"_\1", name).lower()
    if snake != name and snake in known:
        return snake
    if len(name) > _TOO_LONG:
        return None
    best, best_distance = None, 2 if len(name) <= 5 else 3
    for candidate in known:
        if candidate.lower() == name.lower():
            return candidate
        distance = _distance(name, candidate)
        if distance < best_distance:
            best, best_distance = candidate, distance
    return best


def hint(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: empty, or what was probably meant."""
    meant = guess(name, known)
    return f", did you mean {meant}?" if meant else ""


def _distance(a: str, b: str) -> int:
    """Count the insertions, deletions, replacements and swaps of neighbours that turn a into b."""
    before: List[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            least = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                least = min(least, before[j - 2] + 1)
            row.append(least)
        before, last = last, row
    return last[-1]
