"""From a step's arguments to what goes on the wire: texts computed, secrets put in where only their names stood."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.errors import StepFailed
from app.protocol.codes import MsgCode
from app.protocol.service_args import Authentication, Pair, fault_of_secret
from app.services.facts import with_facts
from app.services.ports import StepContext
from app.services.texts import Texts

T = TypeVar("T")


async def composed(context: StepContext, build: Callable[[Texts], T]) -> T:
    """What ``build`` makes of a step's texts, in one transaction. Raises StepFailed."""
    return await context.services.read(lambda unit: build(Texts(with_facts(unit, context.job), context.started_by)))


@dataclass(frozen=True, slots=True)
class Secrets:
    """Puts an item's settings where arguments name them; every other text in them has been computed."""

    settings: Mapping[str, str]

    def pairs(self, pairs: Sequence[Pair] | None) -> tuple[tuple[str, str], ...]:
        """Headers or parameters."""
        return tuple(
            (pair.key, self._secret(pair.setting) if pair.setting is not None else pair.value or "")
            for pair in pairs or ()
        )

    def credentials(self, auth: Authentication | None) -> tuple[tuple[str, str], ...]:
        """The header that says who the server is. An older service of Esri's looks for a token under its own name."""
        if auth is None or auth.type in {None, "None"}:
            return ()
        if auth.type == "Basic":
            both = f"{auth.username or ''}:{self._secret(auth.password_setting or '')}"
            return (("Authorization", f"Basic {b64encode(both.encode()).decode()}"),)
        bearer = f"Bearer {self._secret(auth.token_setting or '')}"
        return (("Authorization", bearer), ("X-Esri-Authorization", bearer))

    def _secret(self, setting: str) -> str:
        """The value of a setting of the item. Raises StepFailed when there is none that may be used here."""
        if any(fault_of_secret("", setting)) or not self.settings.get(setting):
            text = f"The item has no setting {setting!r} that could be used here."
            raise StepFailed(text, name=MsgCode.NOT_CONFIGURED)
        return self.settings[setting]
