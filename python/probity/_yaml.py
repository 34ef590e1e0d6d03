"""Writes YAML. It is read by probity, whose words about it name lines: so a field is a line, and long texts stay one."""

from __future__ import annotations

import json
import re
from typing import Iterator, List, Mapping

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*\Z")
_WORDS = frozenset("y n yes no on off true false null".split())
# What JSON leaves as it is, and a reader of YAML refuses or takes for the end of a line.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def dump(document: Mapping[str, object]) -> str:
    """Return document as YAML: mappings and lists in block style, strings in quotes where they need them."""
    return "\n".join(_lines(document)) + "\n"


def _lines(value: object) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _entry(f"{_scalar(key)}:", item, "  ")
    elif isinstance(value, (list, tuple)) and value:
        for item in value:
            yield from _entry("-", item, "  ")
    else:
        yield _scalar(value)


def _entry(head: str, value: object, indent: str) -> Iterator[str]:
    inner: List[str] = list(_lines(value))
    nested = isinstance(value, (Mapping, list, tuple)) and len(value) > 0
    if not nested:
        yield f"{head} {inner[0]}"
    elif head == "-":
        yield f"- {inner[0]}"
        yield from (indent + line for line in inner[1:])
    else:
        yield head
        yield from (indent + line for line in inner)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        if _PLAIN.match(value) and value.lower() not in _WORDS:
            return value
        return _UNPRINTABLE.sub(lambda m: f"\\u{ord(m.group()):04x}", json.dumps(value, ensure_ascii=False))
    if isinstance(value, (Mapping, list, tuple)):
        return "{}" if isinstance(value, Mapping) else "[]"
    return json.dumps(value, allow_nan=False)
