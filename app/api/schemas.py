"""JSON Schemas of the wire's structs, collected while a document is written: what is named once stands there once."""

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from app.api.operation import Either, Extended


class Schemas:
    """Collects types and gives references to them.

    Args:
        prefix: where the document keeps its schemas, for instance ``#/components/schemas/``.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._types: dict[Any, None] = {}

    def of(self, wanted: Any) -> Any:
        """The schema of a type, of ``Either``, ``Extended``, or of a mapping that has types among its values."""
        match wanted:
            case Either(types):
                return {"anyOf": [self.of(each) for each in types]}
            case Extended(base, members):
                extra = {name: self.of(each) for name, each in members.items()}
                return {"allOf": [self.of(base), {"type": "object", "properties": extra, "required": [*extra]}]}
            case Mapping():
                return {name: self._inner(each) for name, each in wanted.items()}
        self._types[wanted] = None
        schemas, _ = self._generated((wanted,))
        return schemas[0]

    def components(self) -> dict[str, Any]:
        """All schemas referred to so far, by name, in alphabetical order."""
        _, components = self._generated(tuple(self._types))
        return {name: _cleaned(components[name]) for name in sorted(components)}

    def _inner(self, value: Any) -> Any:
        if isinstance(value, type | Either | Extended | Mapping):
            return self.of(value)
        return value

    def _generated(self, types: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return msgspec.json.schema_components(types, ref_template=self._prefix + "{name}")


def _cleaned(schema: dict[str, Any]) -> dict[str, Any]:
    """Docstrings without their indentation, and in CommonMark's form of code."""
    if "description" in schema:
        schema["description"] = inspect.cleandoc(schema["description"]).replace("``", "`")
    return schema
