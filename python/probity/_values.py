"""What the values of fields may be. The words are those of the program probity, which says the same of the same document."""

from __future__ import annotations

import collections.abc
import enum
import json
import math
import re
import typing
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from .errors import Problem

Checked = Tuple[Any, List[Problem]]

_SEQUENCES = (list, tuple, collections.abc.Sequence)
_CUT = 100  # characters of a value that a message quotes
_MOST = 2**31 - 1  # Kubernetes' numbers have 32 bits
# What the numbers of fields count, by their names; those of all others are plain ones.
_UNITS = {
    "cores": re.compile("cpu_(request|limit)"),
    "MB": re.compile("(memory|ephemeral_storage)_(request|limit)|shared_memory_size"),
    "GB": re.compile("cache_size"),
    "seconds": re.compile(".*_seconds|polling_interval|pause_duration|wait_time"),
}
# What people write after such a number, and how many of the unit it is.
_SUFFIXES: Mapping[str, Mapping[str, float]] = {
    "cores": {"m": 0.001},
    "MB": {"Ki": 1 / 1024, "Mi": 1, "Gi": 1024, "Ti": 1024 * 1024, "K": 0.001, "M": 1, "MB": 1, "G": 1000, "GB": 1000, "T": 1e6},
    "GB": {"Mi": 1 / 1024, "Gi": 1, "Ti": 1024, "M": 0.001, "MB": 0.001, "G": 1, "GB": 1, "T": 1000, "TB": 1000},
    "seconds": {"ms": 0.001, "s": 1, "m": 60, "h": 3600},
}


class Classes(typing.NamedTuple):
    """What is known of the classes of objects."""

    is_class: Callable[[Any], bool]
    """Reports whether a type is one of them."""
    tag: Callable[[Any], Optional[str]]
    """Returns the type that an object of a class says to be."""
    form: Callable[[Any], str]
    """Returns what an object of a class looks like."""
    slips: Callable[[Any], Mapping[str, str]]
    """Returns what people write by mistake in an object of a class."""
    types: Callable[[Any], Mapping[str, Any]]
    """Returns the types of the fields of a class, by their names."""


def check(value: Any, hinted: Any, path: str, classes: Classes) -> Checked:
    """Return value as a type wants it, and what is wrong with it. A mapping becomes an object, and 1.0 an integer."""
    origin, arguments = typing.get_origin(hinted), typing.get_args(hinted)
    if hinted is Any or value is None:
        return value, []
    if classes.is_class(type(value)):
        wrong = _misplaced(value, hinted, classes)
        if wrong:
            return value, [Problem(path, wrong)]
    if origin is typing.Union:
        return _check_union(value, [a for a in arguments if a is not type(None)], path, classes)
    if origin is typing.Literal:
        return _check_words(value, value, arguments, path)
    if origin is not None and issubclass(origin, Mapping):
        return _check_mapping(value, arguments[1], path)
    if origin is not None and issubclass(origin, Sequence):
        return _check_list(value, arguments[0], path, classes)
    if classes.is_class(hinted):
        return _check_object(value, [hinted], path, classes)
    return _check_scalar(value, hinted, path)


def _choices(hinted: Any) -> List[Any]:
    """Return the types of which a value may have one."""
    return list(typing.get_args(hinted)) if typing.get_origin(hinted) is typing.Union else [hinted]


def _written(value: Any, hinted: Any, classes: Classes) -> str:
    """Return how an object of a class is written for a type that takes it, or a list of it; empty if it takes neither."""
    name = type(value).__name__
    for choice in _choices(hinted):
        if classes.is_class(choice) and isinstance(value, choice):
            return f"{name}(…)"
        if typing.get_origin(choice) in _SEQUENCES and _written(value, typing.get_args(choice)[0], classes):
            return f"[{name}(…)]"
    return ""


def _misplaced(value: Any, hinted: Any, classes: Classes) -> str:
    """Return what is wrong with an object of a class where a type takes others; empty if it takes this one, or none at all."""
    choices, name = _choices(hinted), type(value).__name__
    of_lists = [item for c in choices if typing.get_origin(c) in _SEQUENCES for item in _choices(typing.get_args(c)[0])]
    wanted = [c for c in choices + of_lists if classes.is_class(c)]
    right = _written(value, hinted, classes)
    if not wanted or Any in choices or right == f"{name}(…)":
        return ""
    if of_lists:
        return f"cannot use {name} as a list: write {right or f'[{wanted[0].__name__}(…)]'}"
    names = [c.__name__ for c in wanted if not any(c is not other and issubclass(c, other) for other in wanted)]
    wrong = f"cannot use {name} as {'an' if names[0][0] in 'AEIOU' else 'a'} {names[0]}: write "
    for c in wanted:
        for field, of in classes.types(c).items():
            inside = _written(value, of, classes)
            if inside:
                return f"{wrong}{c.__name__}({field}={inside})"
    return wrong + " or ".join(f"{n}(…)" for n in names)


def _check_union(value: Any, choices: List[Any], path: str, classes: Classes) -> Checked:
    if len(choices) == 1 or Any in choices:
        return check(value, choices[0] if len(choices) == 1 else Any, path, classes)
    objects = [c for c in choices if classes.is_class(c)]
    if objects and (isinstance(value, (Mapping, *objects)) or len(objects) == len(choices)):
        return _check_object(value, objects, path, classes)
    if objects:  # replicas: a number, or how they scale
        return check(value, choices[0], path, classes)
    if any(typing.get_origin(c) for c in choices):  # a command: a string, or a list of words
        if isinstance(value, (list, tuple)):
            return _check_list(value, str, path, classes)
        wrong = "cannot use an object as a command: write a string, or a list of words"
        return (value, []) if not _is_object(value) else (value, [Problem(path, wrong)])
    return _check_scalar(value, str, path)


def _check_object(value: Any, choices: List[Any], path: str, classes: Classes) -> Checked:
    if isinstance(value, tuple(choices)):
        return value, []
    if not isinstance(value, Mapping):
        bare = isinstance(value, int) and not isinstance(value, bool) and path.startswith("ports[")
        wanted = f"write {{port: {value}}}" if bare else classes.form(choices[0])
        return value, [Problem(path, f"cannot use {describe(value)} as an object: {wanted}")]
    given = {str(name): item for name, item in value.items()}
    if len(choices) == 1:
        return choices[0](**given), []
    named = given.get("type")
    for choice in choices:
        if classes.tag(choice) == named:
            return choice(**given), []
    tags = ", ".join(str(classes.tag(c)) for c in choices)
    if named is not None:
        hint = ": write type: git, repo_url: …, ref: …, branch_name: …" if named in ("github", "gitlab") else ""
        if named == "nvidia.com/gpu":
            hint = ": write type: nvidia_gpu, count: 1"
        return value, [Problem(f"{path}.type", f"there is no type {named} here, it is one of {tags}{hint}")]
    for choice in choices:
        for name in given:
            if name in classes.slips(choice):
                return value, [Problem(f"{path}.{name}", f"unknown field: {classes.slips(choice)[name]}")]
    return value, [Problem(f"{path}.type", f"missing: it is one of {tags}")]


def _check_mapping(value: Any, of: Any, path: str) -> Checked:
    if of is Any and isinstance(value, Mapping):
        return value, []
    if not isinstance(value, Mapping):
        what = "a list" if isinstance(value, (list, tuple)) else f"{describe(value)} as strings by name"
        return value, [Problem(path, f"cannot use {what}: write NAME: value, each on a line")]
    problems = []
    for name, item in value.items():
        if isinstance(item, Mapping) and (item.get("value_from") or item.get("valueFrom")):
            wrong = "cannot use an object as a string: a value from a secret is written tfy-secret://TENANT:GROUP:KEY"
            problems.append(Problem(f"{path}.{name}", wrong))
        elif _is_object(item) or isinstance(item, (list, tuple)):
            problems.append(Problem(f"{path}.{name}", f"cannot use {describe(item)} as a string"))
    return dict(value), problems


def _check_list(value: Any, of: Any, path: str, classes: Classes) -> Checked:
    objects = classes.is_class(of) or any(classes.is_class(a) for a in typing.get_args(of))
    if not isinstance(value, (list, tuple)):
        return value, [Problem(path, f"cannot use {describe(value)} as a list" + (": write [{…}]" if objects else ""))]
    pairs = [_check_item(item, of, f"{path}[{i}]", classes) for i, item in enumerate(value)]
    return [item for item, _ in pairs], [problem for _, wrong in pairs for problem in wrong]


def _check_item(item: Any, of: Any, path: str, classes: Classes) -> Checked:
    if item is not None or of is Any:
        return check(item, of, path, classes)
    choices = [c for c in _choices(of) if classes.is_class(c)]  # in a list, nothing is absent
    return item, [Problem(path, f"cannot use null as an object: {classes.form(choices[0])}" if choices else "cannot use null as a string")]


def _check_scalar(value: Any, hinted: Any, path: str) -> Checked:
    if isinstance(hinted, type) and issubclass(hinted, enum.Enum):
        words = [member.value for member in hinted]
        return _check_words(value, hinted(value) if value in words else value, words, path)
    if hinted is bool:
        return (value, []) if isinstance(value, bool) else (value, [Problem(path, f"cannot use {describe(value)} as a boolean")])
    if hinted in (int, float):
        return _check_number(value, hinted, path)
    if _is_object(value) or isinstance(value, (list, tuple)):
        return value, [Problem(path, f"cannot use {describe(value)} as a string")]
    return value, []


def _check_number(value: Any, hinted: Any, path: str) -> Checked:
    number = _number(value)
    if number is None:
        return value, [Problem(path, f"cannot use {describe(value)} as a number{_number_hint(value, path.rsplit('.', 1)[-1])}")]
    if hinted is int and not number.is_integer():
        return value, [Problem(path, f"cannot use {describe(value)}: it is a whole number")]
    if number > _MOST:
        return value, [Problem(path, f"cannot use {describe(value)}: it is at most {_MOST}")]
    return (int(number) if hinted is int and not isinstance(value, str) else value), []


def _number(value: Any) -> Optional[float]:
    """Return a number, also one in quotes, as old files have them."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _number_hint(value: Any, name: str) -> str:
    """Return the number that a quantity of Kubernetes, or a duration, means in a field of this name."""
    unit = next((unit for unit, names in _UNITS.items() if names.fullmatch(name)), None)
    if unit is None or not isinstance(value, str):
        return ""
    for suffix, factor in _SUFFIXES[unit].items():
        number = _number(value[: -len(suffix)].strip()) if value.endswith(suffix) else None
        if number is not None:
            size = number * factor
            wanted = f"{size:g}" if unit == "cores" else str(max(1, math.floor(size + 0.5)))
            return f": it is in {unit}, so write {wanted}"
    return ""


def _check_words(value: Any, taken: Any, words: Sequence[Any], path: str) -> Checked:
    """Return what is taken for a value, which has to be one of these words."""
    if _is_object(value) or isinstance(value, (list, tuple)):
        return value, [Problem(path, f"cannot use {describe(value)} as a string")]
    if value in words:
        return taken, []
    near = [word for word in words if isinstance(value, str) and word.lower() == value.lower()]
    hint = f": write {near[0]}" if near else ""
    if not near and path.rsplit(".", 1)[-1] == "protocol":
        hint = ": what is spoken over TCP is app_protocol: http, grpc or tcp"
    return value, [Problem(path, f"cannot use {describe(value)}: it is one of {', '.join(words)}{hint}")]


def _is_object(value: Any) -> bool:
    return not isinstance(value, (str, bool, int, float, enum.Enum, list, tuple, type(None)))


def describe(value: object) -> str:
    """Return what a value is, in words: string "512Mi", an object, HttpProbe."""
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean {str(value).lower()}"
    if isinstance(value, str):
        return "string " + json.dumps(value if len(value) <= _CUT else value[:_CUT] + "…", ensure_ascii=False)
    if isinstance(value, (int, float)):
        return f"{'integer' if isinstance(value, int) else 'number'} {value}"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "an object" if isinstance(value, Mapping) else type(value).__name__
