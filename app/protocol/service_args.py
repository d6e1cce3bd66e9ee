"""What arguments of web requests and of geoprocessing have in common: credentials, and what becomes of an answer."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.errors import InvalidValue
from app.protocol.json_path import read_path

STATUS_CODE = "StatusCode"
"""``returnValue`` that stands for the status code of an HTTP answer."""


class Pair(msgspec.Struct, rename="camel"):
    """A header or a parameter. ``value`` may be Arcade; ``setting`` names a setting of the item that holds it instead,
    for what must not stand in a diagram. One whose ``isEnabled`` is false is left out."""

    key: Annotated[str, Meta(min_length=1)]
    value: str | None = None
    setting: str | None = None
    is_enabled: bool | None = None


class Authentication(msgspec.Struct, rename="camel"):
    """Who the server is at the service: nobody, a user with a password (Basic), or the holder of a token (Bearer).

    Password and token are secrets: they are settings of the item, kept encrypted, and are named here.
    """

    type: Literal["None", "Basic", "Bearer"] | None = None
    username: str | None = None
    password_setting: str | None = None
    token_setting: str | None = None


class PropertyOfAnswer(msgspec.Struct, rename="camel"):
    """An extended property, ``table.property``, and the path to what it is set to."""

    identifier: str
    path: str


class AnswerUse(msgspec.Struct, rename="camel"):
    """What becomes of an answer; all of it is optional.

    ``returnValue`` is ``StatusCode`` or a path: what ``$retVal`` is. ``outputs`` is the path to what
    ``JobOutputArray`` gives later steps: each element of an array, or the one value.
    """

    return_value: str | None = None
    properties: list[PropertyOfAnswer] | None = None
    outputs: str | None = None

    def needs(self, member: str) -> bool:
        """Tell whether a path leads into this member of the answer, or takes all of it. Raises InvalidValue."""
        paths = [self.return_value, self.outputs, *(each.path for each in self.properties or ())]
        keys = [read_path(path) for path in paths if path is not None and path != STATUS_CODE]
        return any(not found or found[0] == member for found in keys)


def faults_of_pairs(place: str, pairs: list[Pair] | None) -> Iterator[str]:
    """What is wrong with headers or parameters."""
    for number, pair in enumerate(pairs or ()):
        if (pair.value is None) == (pair.setting is None):
            yield f"{place}[{number}] ({pair.key}) needs either value or setting"
        elif pair.setting is not None:
            yield from fault_of_secret(f"{place}[{number}].setting", pair.setting)


def faults_of_authentication(auth: Authentication | None) -> Iterator[str]:
    """What is missing in credentials."""
    if auth is None:
        return
    if auth.type == "Basic" and not (auth.username and auth.password_setting):
        yield "authentication of type Basic needs username and passwordSetting"
    if auth.type == "Bearer" and not auth.token_setting:
        yield "authentication of type Bearer needs tokenSetting"
    for name, setting in (("passwordSetting", auth.password_setting), ("tokenSetting", auth.token_setting)):
        if setting:
            yield from fault_of_secret(f"authentication.{name}", setting)


def fault_of_secret(place: str, setting: str) -> Iterator[str]:
    """A mail server's password is no business of a web server, whoever writes the diagram."""
    if setting.lower().startswith("smtp"):
        yield f"{place}: the settings of the mail server are not for other servers"


def faults_of_use(use: AnswerUse | None) -> Iterator[str]:
    """Which paths cannot be read."""
    if use is None:
        return
    paths = [("outputs", use.outputs)]
    if use.return_value != STATUS_CODE:
        paths.append(("returnValue", use.return_value))
    paths += [(f"properties[{n}].path", each.path) for n, each in enumerate(use.properties or ())]
    for name, path in paths:
        if path is not None:
            try:
                read_path(path)
            except InvalidValue as error:
                yield f"response.{name}: {error.message}"
    for number, each in enumerate(use.properties or ()):
        table, _, name = each.identifier.partition(".")
        if not (table and name):
            yield f"response.properties[{number}].identifier {each.identifier!r} is not of the form table.property"
