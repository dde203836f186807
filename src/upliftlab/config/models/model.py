"""The base of all models of the language, and what its values have in common."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
)
from pydantic_core import PydanticCustomError

from upliftlab.config.models.patterns import ONE_NAME
from upliftlab.config.models.usual_forms import SeveralNamesError
from upliftlab.config.models.values import Label, Name, named
from upliftlab.errors import ConfigError

REFUSED: Final = "upliftlab_refused"
"""The type of an error of pydantic's that holds a fault of ours, as `fault` of its context."""


class Declaration(BaseModel):
    """A frozen mapping that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)
    added_later: ClassVar[frozenset[str]] = frozenset()
    """Fields that are left out of what is written down where they say nothing, so that plans which
    were locked before there were such keys stay as they are."""

    @model_serializer(mode="wrap")
    def _without_added(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        for name in self.added_later:
            field = type(self).model_fields[name]
            if getattr(self, name) == field.get_default(call_default_factory=True):
                written.pop(name, None)
                written.pop(field.alias or name, None)
        return written


def shorthand(key: str) -> BeforeValidator:
    """Let a bare scalar stand for the mapping `{key: scalar}`."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


@contextmanager
def refusing() -> Generator[None]:
    """Within a validator: a refusal of ours becomes one of pydantic's, which knows the place."""
    try:
        yield
    except ConfigError as error:
        raise PydanticCustomError(REFUSED, "refused", {"fault": error.faults[0]}) from error


def singleton(value: object) -> object:
    """Let one name stand for a list of one."""
    if not isinstance(value, str):
        return value
    if "," in value:
        raise SeveralNamesError(f"several names are written as a list: [{value}]")
    return [value]


_ONE: Final[dict[str, Any]] = {"type": ["string", "number", "boolean"], "maxLength": 120}
_SEVERAL: Final = WithJsonSchema(
    {"anyOf": [{"type": "array", "items": _ONE}, {**_ONE, "pattern": ONE_NAME}]}
)

Names = Annotated[tuple[Name, ...], BeforeValidator(singleton), _SEVERAL]
"""One name or a list of names."""


def _as_written(names: tuple[str, ...]) -> str | list[str]:
    return names[0] if len(names) == 1 else list(names)


Key = Annotated[Names, PlainSerializer(_as_written)]
"""One name or a list of names, written down as one name where it is one."""


def _alone(value: object) -> object:
    return value if type(value) in (list, tuple) else [value]


def _named(labels: tuple[str, ...]) -> tuple[str, ...]:
    if not labels:
        raise ValueError("a name is needed")
    return tuple(dict.fromkeys((named(labels[0]), *labels[1:])))


Called = Annotated[
    tuple[Label, ...],
    BeforeValidator(_alone),
    AfterValidator(_named),
    PlainSerializer(_as_written),
    WithJsonSchema({"anyOf": [{"type": "array", "items": _ONE, "minItems": 1}, _ONE]}),
]
"""A name, or a list of it and of what else the same is called, letter by letter."""
Labels = Annotated[tuple[Label, ...], BeforeValidator(singleton), _SEVERAL]
"""One label of the data or a list of labels."""
