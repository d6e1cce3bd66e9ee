"""Bodies of the print dialect's lists: queues, projects, users, and what users pay with (v3-jobs.md 2.3)."""

from typing import Any

import msgspec


class QueueInteraction(msgspec.Struct, rename="camel"):
    """What a client must ask its user for before it prints."""

    project: bool
    payment_account: bool


class QueueClient(msgspec.Struct):
    """What matters to the client that spools."""

    interaction: QueueInteraction


class Queue(msgspec.Struct, rename="camel"):
    """A queue: an active job template. ``type`` is ``pull`` where jobs wait for ``process``, else ``direct``."""

    id: int
    name: str
    type: str
    client: QueueClient
    private: bool = False
    available_protocols: list[str] = msgspec.field(default_factory=lambda: ["client"])
    printer_id: int | None = None


class Queues(msgspec.Struct):
    """Queues, and how many they are."""

    queues: list[Queue]
    count: int


class ProjectLine(msgspec.Struct):
    """What jobs can be done for."""

    id: int
    name: str


class Projects(msgspec.Struct):
    """Projects, and how many they are."""

    projects: list[ProjectLine]
    count: int


class UserNumber(msgspec.Struct, rename="camel"):
    """A user: ``userName`` is what they log in with."""

    id: int
    user_name: str
    full_name: str


class Users(msgspec.Struct):
    """Users, and how many they are."""

    users: list[UserNumber]
    count: int


class PaymentAccount(msgspec.Struct):
    """What a job can be put on. Nothing is charged here: ``limits`` is empty."""

    name: str
    reference: str
    type: str = "internal"
    limits: list[Any] = []


class PaymentAccounts(msgspec.Struct):
    """A user's accounts, and how many they are."""

    accounts: list[PaymentAccount]
    count: int
