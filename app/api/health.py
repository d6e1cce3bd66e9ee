"""What machines ask about the server: does it live, can it work, what has it done."""

import asyncio
from collections.abc import Iterable
from typing import Literal

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from app.api.problems import problem
from app.api.responses import JsonResponse, success
from app.api.state import Gateway, gateway
from app.errors import StoreUnavailable
from app.observability import METRICS

READY_WITHIN_S = 2.0
"""A database that takes longer to answer the smallest question is as good as gone."""


class Readiness(msgspec.Struct):
    """The server can work. ``bus``: whether other servers' changes arrive at once; absent without ``redis_url``."""

    success: bool = True
    bus: Literal["up", "down"] | msgspec.UnsetType = msgspec.UNSET


class ServingNode(msgspec.Struct, rename="camel"):
    """A process that serves from this database. ``answers``: it is the one that gave this answer."""

    node_id: str
    answers: bool


class ServingNodes(msgspec.Struct):
    """All of them, by id."""

    nodes: list[ServingNode]


async def healthz(_: Request) -> Response:
    """The process lives and its event loop turns; a supervisor restarts it when this does not answer."""
    return success()


async def readyz(request: Request) -> Response:
    """The database answers, so requests can be served; a load balancer asks this. 503 says why not.

    A bus that is down is told in the body and takes no server out of service: all have lost it at once, and each still
    does everything, only that it learns of the others' changes two seconds later (docs/decisions.md).
    """
    if gateway(request).hub.is_draining:
        return problem(503, "ShuttingDown", "This server is shutting down: go to another one.")
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            await gateway(request).engine.store.read(lambda tx: tx.epoch())
    except StoreUnavailable as error:
        return problem(503, error.name, error.message)
    except TimeoutError:
        return problem(503, "StoreUnavailable", f"The database did not answer within {READY_WITHIN_S:g} seconds.")
    if gateway(request).settings.redis_url is None:
        return JsonResponse(Readiness())
    return JsonResponse(Readiness(bus="up" if gateway(request).bus.stats.is_up else "down"))


async def nodes(request: Request) -> Response:
    """The processes that have a lease. One that died is listed until its lease is over and another has noticed."""
    engine = gateway(request).engine
    found = await engine.store.read(lambda tx: tx.nodes())
    return JsonResponse(ServingNodes([ServingNode(node_id, node_id == engine.node_id) for node_id in found]))


async def metrics(request: Request) -> Response:
    """Counters of this process, or of all workers where there are several, in Prometheus' text format."""
    own, figures = figures_of(gateway(request)), request.app.state.figures
    if figures is not None:
        figures.write(own)
        own = figures.of_all()
    shown = CollectorRegistry()
    shown.register(_Given(own))
    return Response(generate_latest(shown), media_type=CONTENT_TYPE_LATEST)


def figures_of(parts: Gateway) -> list[Metric]:
    """What this process has counted, and the parts' own counters as they are now."""
    return [*METRICS.collect(), *_Live(parts).collect()]


class _Given(Collector):
    """Figures that were collected before."""

    def __init__(self, figures: Iterable[Metric]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        return self._figures


class _Live(Collector):
    """Reads the parts' own counters at the moment somebody asks."""

    def __init__(self, parts: Gateway) -> None:
        self._parts = parts

    def collect(self) -> Iterable[Metric]:
        hub, store, bus = self._parts.hub.stats, self._parts.engine.store.stats, self._parts.bus.stats
        yield _now("stepgate_sessions", "Open websockets.", hub.sessions)
        yield _now("stepgate_subscriptions", "Jobs subscribed to, over all websockets.", hub.subscriptions)
        yield _now("stepgate_channels", "Jobs and items that somebody on this node listens to.", hub.channels)
        yield _now("stepgate_unsent_bytes", "Bytes that peers have not taken yet.", hub.unsent_bytes)
        yield _sum("stepgate_messages_published", "Messages made on this node.", hub.published)
        yield _sum("stepgate_messages_received", "Messages that came over the bus.", hub.received)
        yield _sum("stepgate_messages_swept", "Messages that only the sweep of the store found.", hub.swept)
        yield _sum("stepgate_gaps", "Gaps in a feed that were closed from the store.", hub.gaps)
        yield _sum("stepgate_deliveries", "Messages times websockets they went to.", hub.deliveries)
        yield _sum("stepgate_flushes", "Times a channel was written out.", hub.flushes)
        yield _sum(
            "stepgate_fanout_seconds", "From the first message to the last websocket, over all flushes.", hub.fanout_s
        )
        yield _sum("stepgate_recovered", "Clients that came back and missed nothing.", hub.recovered)
        yield _sum("stepgate_not_recovered", "Clients that came back too late to be told all.", hub.not_recovered)
        yield _sum("stepgate_evictions", "Websockets cut because they did not read.", hub.cut)
        yield _now("stepgate_store_waiting", "Transactions and queries in the store now.", store.waiting)
        yield _sum("stepgate_store_transactions", "Transactions committed.", store.transactions)
        yield _sum("stepgate_store_commits", "Commits; transactions divided by these is the batch size.", store.commits)
        yield _now("stepgate_bus_up", "1 while messages travel between servers, else 0.", bus.is_up)
        yield _sum("stepgate_bus_reconnects", "Times the bus came up again.", bus.reconnects)
        yield _sum("stepgate_bus_published", "Messages Redis has taken, probes included.", bus.published)
        yield _sum("stepgate_bus_dropped", "Messages for other servers that were not sent.", bus.dropped)
        yield _now("stepgate_bus_round_trip_seconds", "How long the last probe took to come back.", bus.round_trip_s)


def _now(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _sum(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)
