"""A session: one open websocket, who is behind it, and what it is subscribed to."""

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.domain.job import AssignedType, Assignment
from app.hub.frames import Frame, text_frame
from app.hub.transport import Transport
from app.protocol.codes import CloseCode
from app.protocol.notifications import Body, encode

if TYPE_CHECKING:
    from app.hub.channel import Channel

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Session:
    """One socket. ``channels`` maps the ids of subscribed jobs to their channels.

    ``groups`` and ``access_version`` are those the session was last judged with; ``expires_ms`` is when its token ends.
    """

    session_id: str
    username: str
    org_id: str
    item_id: str
    groups: frozenset[str]
    access_version: int
    expires_ms: int
    transport: Transport
    channels: "dict[str, Channel]" = field(default_factory=dict)
    is_closed: bool = False

    def is_in(self, audience: Assignment | None) -> bool:
        """The session's user is who ``audience`` names, in person or by a group. None is everybody."""
        if audience is None:
            return True
        if audience.type is AssignedType.USER:
            return audience.to == self.username
        return audience.type is AssignedType.GROUP and audience.to in self.groups

    def view(self, frame: Frame) -> bytes:
        """The form of a frame that this session may see."""
        return frame.full if frame.short is None or self.is_in(frame.audience) else frame.short

    def write(self, frames: bytes) -> None:
        """Write to the socket. When that fails the connection is cut, and nobody else is disturbed."""
        try:
            self.transport.write(frames)
        except Exception:  # noqa: BLE001  (one broken socket must not end the fan-out)
            self.broke()

    def broke(self) -> None:
        """Writing raised (uvloop does so on a closed transport): log it, called within the handler, and cut."""
        _log.exception("a socket could not be written to", extra={"fields": self.who()})
        self.transport.abort()

    def tell(self, body: Body, timestamp_ms: int) -> None:
        """Send a message that is for this session alone."""
        self.write(text_frame(encode(body, timestamp_ms=timestamp_ms)))

    def close(self, why: CloseCode) -> None:
        """Close the socket with a code that says whether to come back."""
        self.transport.close(why.code, why.reason)

    def who(self) -> dict[str, object]:
        """Fields for log lines about this session."""
        return {"session": self.session_id, "user": self.username, "item": self.item_id}
