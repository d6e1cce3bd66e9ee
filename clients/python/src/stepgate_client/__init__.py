"""Asynchronous client for Stepgate: job actions over REST, live messages and answers over websocket.

Start with ``Client``. Messages are in ``stepgate_client.messages``, results of calls in ``stepgate_client.models``.
"""

from stepgate_client.answers import Answer, PropertyResponse
from stepgate_client.backoff import Backoff
from stepgate_client.client import DEFAULT_ITEM, INTRODUCTION_TEMPLATE, Client
from stepgate_client.connector import ConnectionState, Phase
from stepgate_client.errors import (
    ActionRefused,
    AnswerRejected,
    ConnectionFailed,
    ManageRefused,
    NotFound,
    PermissionDenied,
    ProtocolError,
    RequestRefused,
    ServerFailed,
    StepgateError,
    SubscriptionEnded,
    SubscriptionRefused,
    Unauthenticated,
    Unavailable,
    VerdictMissing,
)
from stepgate_client.job_handle import Ending, JobHandle
from stepgate_client.notifications import Notifications, Position

__all__ = [
    "DEFAULT_ITEM",
    "INTRODUCTION_TEMPLATE",
    "ActionRefused",
    "Answer",
    "AnswerRejected",
    "Backoff",
    "Client",
    "ConnectionFailed",
    "ConnectionState",
    "Ending",
    "JobHandle",
    "ManageRefused",
    "NotFound",
    "Notifications",
    "PermissionDenied",
    "Phase",
    "Position",
    "PropertyResponse",
    "ProtocolError",
    "RequestRefused",
    "ServerFailed",
    "StepgateError",
    "SubscriptionEnded",
    "SubscriptionRefused",
    "Unauthenticated",
    "Unavailable",
    "VerdictMissing",
]
