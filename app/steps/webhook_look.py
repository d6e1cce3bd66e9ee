"""Looks at feature services whether features are what holds wait for, and ends the holds whose features are."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

import msgspec

from app.errors import PermissionDenied, StepError
from app.protocol.webhooks import Look
from app.services.ports import Dispatch, FeatureServices, ServiceAccess, StepServices, WatchedFeature
from app.services.webhook_holds import release, watched_by
from app.services.webhook_looks import LOOK_KIND

log = logging.getLogger(__name__)


class WebhookLooker:
    """Implements ``DispatchSender``. Notes nothing: a look that is carried out again does no harm."""

    kind = LOOK_KIND

    def __init__(self, features: FeatureServices) -> None:
        self._features = features

    async def send(self, dispatch: Dispatch, services: StepServices) -> str | None:
        """One question for all features of a layer that wait for the same; what is met is ended before the next one, so
        a condition that the service refuses keeps only its own features waiting."""
        look = msgspec.json.decode(dispatch.content, type=Look)
        watched = await services.read(partial(watched_by, look=look))
        if watched is None:
            return None
        alike: defaultdict[tuple[int, str], list[WatchedFeature]] = defaultdict(list)
        for each in watched.features:
            alike[each.webhook.layer_id, each.webhook.condition].append(each)
        problems: list[StepError | PermissionDenied] = []
        for features in alike.values():
            try:
                await self._look(services, watched.access, look.connection_id, features)
            except (StepError, PermissionDenied) as error:
                log.warning("webhook connection %s: %s", look.connection_id, error)
                problems.append(error)
        passing = next((each for each in problems if getattr(each, "is_passing", False)), None)
        if passing is not None:
            raise passing
        return f"A hold on a feature was not ended. {problems[0]}" if problems else None

    async def _look(
        self, services: StepServices, access: ServiceAccess, connection_id: str, features: Sequence[WatchedFeature]
    ) -> None:
        """Look at features of one layer that wait for the same condition."""
        layer_id, condition = features[0].webhook.layer_id, features[0].webhook.condition
        ids = {each.webhook.object_id for each in features}
        met = await self._features.matching(access, layer_id, condition, ids)
        for each in features:
            if each.webhook.object_id in met:
                end = partial(release, connection_id=connection_id, job_id=each.job_id, hold_id=each.hold_id)
                await services.write(end)
