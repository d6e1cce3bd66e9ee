"""What became of answers: told to whoever waits for it, also when the news is quicker than the one who asks."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable

from app.services.ports import AnswerRecord

KEPT = 10_000
KEPT_FOR_S = 60.0

_log = logging.getLogger(__name__)

OnVerdict = Callable[[AnswerRecord], None]


class Verdicts:
    """Verdicts that came before their watcher are kept for a minute. Lives on the event loop."""

    def __init__(self) -> None:
        self._watchers: dict[int, list[OnVerdict]] = {}
        self._kept: OrderedDict[int, tuple[float, AnswerRecord]] = OrderedDict()

    @property
    def watched(self) -> list[int]:
        """Answers somebody waits for."""
        return list(self._watchers)

    def watch(self, answer_id: int, callback: OnVerdict) -> None:
        """Call ``callback`` once with the applied or rejected answer; never before this returns."""
        kept = self._kept.get(answer_id)
        if kept is not None:
            asyncio.get_running_loop().call_soon(self._tell, callback, kept[1])
            return
        self._watchers.setdefault(answer_id, []).append(callback)

    def unwatch(self, answer_id: int, callback: OnVerdict) -> None:
        """Stop waiting. Idempotent."""
        callbacks = self._watchers.get(answer_id, [])
        if callback in callbacks:
            callbacks.remove(callback)
        if not callbacks:
            self._watchers.pop(answer_id, None)

    def arrived(self, answer: AnswerRecord) -> None:
        """An answer was applied or rejected. The second time, nothing happens."""
        if answer.answer_id in self._kept:
            return
        now = asyncio.get_running_loop().time()
        self._kept[answer.answer_id] = (now, answer)
        while len(self._kept) > KEPT or next(iter(self._kept.values()))[0] < now - KEPT_FOR_S:
            self._kept.popitem(last=False)
        for callback in self._watchers.pop(answer.answer_id, []):
            self._tell(callback, answer)

    @staticmethod
    def _tell(callback: OnVerdict, answer: AnswerRecord) -> None:
        try:
            callback(answer)
        except Exception:  # noqa: BLE001  (one failing watcher must not stop the others)
            _log.exception("a watcher of an answer failed", extra={"fields": {"answer": answer.answer_id}})
