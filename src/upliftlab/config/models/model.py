"""The base of all models of the language, and what its values have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from upliftlab.config.models.values import Name


class Declaration(BaseModel):
    """A frozen mapping that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def shorthand(key: str) -> BeforeValidator:
    """Let a bare scalar stand for the mapping `{key: scalar}`."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


def singleton(value: object) -> object:
    """Let one name stand for a list of one."""
    if not isinstance(value, str):
        return value
    if "," in value:
        raise ValueError(f"several names are written as a list: [{value}]")
    return [value]


Names = Annotated[tuple[Name, ...], BeforeValidator(singleton)]
"""One name or a list of names."""
