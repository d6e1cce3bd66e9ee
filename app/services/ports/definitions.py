"""Records of what jobs are made from and who works on them: items, diagrams, templates, people, settings."""

from dataclasses import dataclass

from app.domain.access import PortalRole
from app.domain.diagram import Diagram


@dataclass(frozen=True, slots=True)
class Item:
    """One workflow item: an isolated set of jobs, diagrams, templates and roles. ``key`` is the store's own number.

    ``access_version`` grows with every change of users, groups, roles or keys that may change what somebody may do.
    ``owner`` is the user who has made it.
    """

    key: int
    item_id: str
    org_id: str
    name: str
    access_version: int
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class DiagramRecord:
    """A stored version of a diagram: ``body`` is the document as its author sent it, ``diagram`` the domain's form."""

    diagram: Diagram
    body: bytes
    description: str | None
    created_ms: int
    created_by: str


@dataclass(frozen=True, slots=True)
class DiagramSummary:
    """One line of the diagram list. ``active``: an activated version exists; ``draft``: a draft does."""

    diagram_id: str
    name: str
    description: str | None
    active: bool
    draft: bool
    latest_version: int | None


@dataclass(frozen=True, slots=True)
class JobTemplate:
    """A job template. ``body`` is the whole document (rest.md 14.2) as JSON text; the others are read from it, but for
    ``shared_with``: the ids of the groups whose members may use it (none: everybody)."""

    template_id: str
    name: str
    state: str
    diagram_id: str
    category: str | None
    description: str | None
    body: bytes
    updated_by: str
    updated_ms: int
    shared_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """A person or program that can log in. ``groups`` are group ids."""

    username: str
    full_name: str | None
    email: str | None
    disabled: bool
    groups: tuple[str, ...]
    portal_role: PortalRole = PortalRole.USER


@dataclass(frozen=True, slots=True)
class Group:
    """A set of users, linked to roles per item."""

    group_id: str
    name: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs tokens. ``retired_ms`` is set when it no longer signs; it verifies until tokens have run out."""

    key_id: str
    secret: bytes
    created_ms: int
    retired_ms: int | None


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A saved search or chart (rest.md 10). ``definition`` is JSON text. ``shared_with``: the ids of the groups whose
    members see it (none: everybody)."""

    search_id: str
    name: str
    search_type: str
    folder: str | None
    definition: bytes | None
    color_ramp: str | None
    sort_index: int | None
    shared_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of an item (rest.md 8.2). ``value`` is UTF-8, sealed by a ``Vault`` where ``encrypted``."""

    name: str
    value: bytes
    encrypted: bool


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A stored template of an item (rest.md 8.3); ``details`` is the text its author gave, JSON for types we know."""

    template_type: str
    template_id: str
    name: str
    details: str


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a request with an idempotency key was answered; ``request`` is a digest of the body it came with."""

    request: str
    body: bytes
