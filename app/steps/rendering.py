"""Arguments of a request made ready for the wire: expressions computed, secrets put in where only their names stood."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from app.errors import StepFailed
from app.expressions.arcade import Encoding
from app.protocol.codes import MsgCode
from app.protocol.service_args import Authentication, Pair, fault_of_secret
from app.services.engine import Unit
from app.services.facts import with_facts
from app.services.ports import StepContext
from app.steps.arguments import text_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Render:
    """Computes texts of one step, all in one transaction, so that they belong together."""

    context: StepContext
    settings: Mapping[str, str]

    def text(self, name: str, source: str) -> str:
        """``source``, or what it is where it is an expression; ``name`` is for errors. Raises StepFailed."""
        return text_of(self.context, name, source)

    def content(self, name: str, source: str) -> str:
        """As ``text``, but what begins like a JSON object or array is JSON, not an Arcade dictionary or array."""
        return source if source.lstrip().startswith(("{", "[")) else self.text(name, source)

    def url(self, source: str) -> str:
        """An address; a job's values are encoded in it, so that none of them leads elsewhere. Raises StepFailed."""
        return text_of(self.context, "url", source, encoding=Encoding.URL)

    def pairs(self, name: str, pairs: Sequence[Pair] | None) -> tuple[tuple[str, str], ...]:
        """Headers or parameters, without those that are switched off."""
        return tuple(
            (pair.key, self._value(f"{name} {pair.key}", pair)) for pair in pairs or () if pair.is_enabled is not False
        )

    def _value(self, name: str, pair: Pair) -> str:
        return self.secret(pair.setting) if pair.setting is not None else self.text(name, pair.value or "")

    def credentials(self, auth: Authentication | None) -> tuple[tuple[str, str], ...]:
        """The header that says who the server is. An older service of Esri's looks for a token under its own name."""
        if auth is None or auth.type in {None, "None"}:
            return ()
        if auth.type == "Basic":
            user = self.text("authentication.username", auth.username or "")
            both = f"{user}:{self.secret(auth.password_setting or '')}"
            return (("Authorization", f"Basic {b64encode(both.encode()).decode()}"),)
        bearer = f"Bearer {self.secret(auth.token_setting or '')}"
        return (("Authorization", bearer), ("X-Esri-Authorization", bearer))

    def secret(self, setting: str) -> str:
        """The value of a setting of the item. Raises StepFailed when there is none that may be used here."""
        if any(fault_of_secret("", setting)) or not self.settings.get(setting):
            text = f"The item has no setting {setting!r} that this step could use."
            raise StepFailed(text, name=MsgCode.NOT_CONFIGURED)
        return self.settings[setting]


async def rendered(context: StepContext, build: Callable[[Render], T]) -> T:
    """What ``build`` makes of the arguments. Raises StepFailed."""
    settings = await context.services.settings()

    def build_in(unit: Unit) -> T:
        return build(Render(replace(context, job=with_facts(unit, context.job)), settings))

    return await context.services.read(build_in)
