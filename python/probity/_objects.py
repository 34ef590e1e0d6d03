"""What the objects of a service have in common: fields with types, which are checked when an object is made.

An object inside of a service does not raise: it keeps what is wrong with it, and the service raises all of it at once, with the path of each field
and the line that made the object. What fields mean is not known here. That is decided by the program probity alone, so that YAML and Python agree.
"""

from __future__ import annotations

import enum
import os
import sys
import typing
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar, Dict, Iterator, Mapping, NamedTuple, Optional, Type, TypeVar

from ._suggest import hint
from ._values import Classes, check, describe
from .errors import InvalidError, Place, Problem

__all__ = ["Field", "Object", "caller", "described", "fields_of", "form"]

if TYPE_CHECKING:
    from dataclasses import dataclass as described  # how type checkers see the fields: as those of a dataclass
else:

    def described(cls: Type[T]) -> Type[T]:
        """Mark a class whose annotations are its fields. An attribute of that name is the default."""
        return cls


T = TypeVar("T")
_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Field(NamedTuple):
    """A field of an object."""

    type: Any
    required: bool
    default: Any


class Object:
    """The base of all objects. Fields are given by name; those that are left out have the default of the service."""

    slips: ClassVar[Mapping[str, str]] = {}
    """Names that people write by mistake, and what to write instead."""
    open: ClassVar[bool] = False
    """Whether it may have any field."""
    entire: ClassVar[bool] = False
    """Whether it stands by itself: then what is wrong with it, or inside of it, is raised when it is made."""

    def __init__(self, *positional: object, **given: object) -> None:
        state = self.__dict__
        state["_place"] = caller()
        state["_given"] = {}
        state["_wrong"] = {}
        fields = fields_of(type(self))
        if positional:
            names = ", ".join(f"{name}=…" for name in list(fields)[: len(positional)])
            self._note("", f"{type(self).__name__} takes its fields by name: {type(self).__name__}({names})")
        slipped = any(name in self.slips for name in given)  # then what is missing stands there under another name
        for name, field in fields.items():
            state[name] = field.default
            if name not in given and field.required and not positional and not slipped:
                self._note(name, "missing: " + form(type(self)))
        for name, value in given.items():
            if name in fields:
                self._set(name, value, slipped)
            elif self.open:
                state[name] = state["_given"][name] = value
            else:
                self._note(name, self._unknown(name))
        wrong = self._wrong_in_all() if self.entire else None
        if wrong is not None:
            raise wrong

    def __setattr__(self, name: str, value: object) -> None:
        if name not in fields_of(type(self)):
            raise AttributeError(f"{type(self).__name__}: {name}: {self._unknown(name)}")
        self._set(name, value)

    def check(self) -> None:
        """Raise InvalidError with everything that is wrong with this object and those inside of it."""
        wrong = self._wrong_in_all()
        if wrong is not None:
            raise wrong

    def to_dict(self) -> Dict[str, Any]:
        """Return the object as it stands in YAML: what was given, no defaults."""
        kind = fields_of(type(self)).get("type")
        document: Dict[str, Any] = {} if kind is None else {"type": kind.default}
        for name, value in self.__dict__["_given"].items():
            if value is not None:
                document[name] = _plain(value)
        return document

    @classmethod
    def parse_obj(cls: Type[T], document: Mapping[str, Any]) -> T:
        """Return the object that document, as it is read from YAML, describes. Unknown fields are refused."""
        if not isinstance(document, Mapping):
            raise InvalidError(cls.__name__, [Problem("", f"cannot use {describe(document)} as an object: {form(typing.cast(Type[Object], cls))}", caller())])
        return cls(**{str(name): value for name, value in document.items()})

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.to_dict() == typing.cast(Object, other).to_dict()

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__dict__["_given"].items())
        wrong = "".join(f" <{p}>" for p in self._problems(""))
        return f"{type(self).__name__}({fields}){wrong}"

    def _wrong_in_all(self) -> Optional[InvalidError]:
        try:
            problems = list(self._problems(""))
        except RecursionError:
            problems = [Problem("", "a list or a mapping in it contains itself", self.__dict__["_place"])]
        return InvalidError(self._title(), problems) if problems else None

    def _title(self) -> str:
        return type(self).__name__

    def _set(self, name: str, value: object, slipped: bool = False) -> None:
        field = fields_of(type(self))[name]
        self.__dict__["_wrong"].pop(name, None)
        if value is None and field.required and not slipped:
            self._note(name, "missing: " + form(type(self)))
        value, problems = check(value, field.type, name, CLASSES)
        self.__dict__[name] = self.__dict__["_given"][name] = value
        for problem in problems:
            self._note(name, problem.message, problem.path)

    def _note(self, name: str, message: str, path: Optional[str] = None) -> None:
        problem = Problem(name if path is None else path, message, self.__dict__["_place"])
        self.__dict__["_wrong"].setdefault(name, []).append(problem)

    def _unknown(self, name: str) -> str:
        slip = self.slips.get(name)
        return f"unknown field: {slip}" if slip else "unknown field" + hint(name, fields_of(type(self)))

    def _problems(self, path: str) -> Iterator[Problem]:
        for problems in self.__dict__["_wrong"].values():
            for problem in problems:
                yield problem._replace(path=_join(path, problem.path))
        for name, value in self.__dict__["_given"].items():
            yield from _inside(value, _join(path, name))


def fields_of(cls: Type[Object]) -> Mapping[str, Field]:
    """Return the fields of a class, in the order in which it names them."""
    known: Optional[Dict[str, Field]] = cls.__dict__.get("_fields")
    if known is not None:
        return known
    fields: Dict[str, Field] = {}
    for name, hinted in typing.get_type_hints(cls).items():
        if typing.get_origin(hinted) is not ClassVar:
            fields[name] = Field(hinted, not hasattr(cls, name), getattr(cls, name, None))
    setattr(cls, "_fields", fields)
    return fields


def form(cls: Type[Object]) -> str:
    """Return what an object of a class looks like, for who has written something else."""
    fields = fields_of(cls)
    parts = [f"type: {fields['type'].default}"] if "type" in fields else []
    parts += [f"{name}: …" for name, field in fields.items() if field.required]
    return "write it as {" + ", ".join(parts or [f"{name}: …" for name in list(fields)[:2]]) + "}"


CLASSES = Classes(
    is_class=lambda t: isinstance(t, type) and issubclass(t, Object),
    tag=lambda cls: fields_of(cls)["type"].default if "type" in fields_of(cls) else None,
    form=form,
    slips=lambda cls: typing.cast(Mapping[str, str], cls.slips),
    types=lambda cls: {name: field.type for name, field in fields_of(cls).items()},
)


def _inside(value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, Object):
        yield from value._problems(path)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _inside(item, f"{path}.{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _inside(item, f"{path}[{i}]")


def _plain(value: Any) -> Any:
    if isinstance(value, Object):
        return value.to_dict()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name and not name.startswith("[") else path + name


def caller() -> Optional[Place]:
    """Return the line that is outside of this package."""
    frame: Optional[FrameType] = sys._getframe(1)
    while frame is not None and os.path.abspath(frame.f_code.co_filename).startswith(_PACKAGE):
        frame = frame.f_back
    if frame is None:
        return None
    file = frame.f_code.co_filename
    relative = os.path.relpath(file) if os.path.exists(file) else file
    return Place(file if relative.startswith("..") else relative, frame.f_lineno)
