"""The portal's resources that clients ask before they reach the workflow server (python-client.md 3).

Clients look at few members of each; those are here, and what a person would miss.
"""

import msgspec
from msgspec import UNSET, UnsetType

CURRENT_VERSION = "2025.2"
"""Of the interface. Clients compare it as a decimal number: two dots would make them fail."""

WORKFLOW_SERVER = "WorkflowManager"
ITEM_TYPE = "Workflow"


class AuthInfo(msgspec.Struct, rename="camel"):
    """How to log in."""

    token_services_url: str
    is_token_based_security: bool = True


class PortalInfo(msgspec.Struct, rename="camel"):
    """What is told before a login."""

    auth_info: AuthInfo
    current_version: str = CURRENT_VERSION
    owning_system_url: str | UnsetType = UNSET


class PortalVersion(msgspec.Struct, rename="camel"):
    """The interface's version."""

    current_version: str = CURRENT_VERSION


class PortalGroup(msgspec.Struct):
    """A group of users; the server owns all of them."""

    id: str
    title: str
    owner: str


class PortalUser(msgspec.Struct, rename="camel"):
    """A user. ``privileges`` are those in the portal, none; what may be done in an item its roles say. ``role`` is
    ``org_user``, ``org_publisher`` (may make workflow items) or ``org_admin``.

    ``email`` is told to its owner only.
    """

    username: str
    full_name: str
    groups: list[PortalGroup]
    disabled: bool = False
    privileges: list[str] = []
    role: str = "org_user"
    email: str | None = None


class OwnUser(PortalUser, rename="camel"):
    """Whoever asks. Every feature is there without a licence, and one client asks whether this one is."""

    user_license_type_extensions: list[str] = msgspec.field(default_factory=lambda: ["workflow"])


class HelperService(msgspec.Struct):
    """Where a service is."""

    url: str


class HelperServices(msgspec.Struct, rename="camel"):
    """Services of the portal; the online shape names the workflow server here."""

    workflow_manager: HelperService | UnsetType = UNSET


class PortalSelf(msgspec.Struct, rename="camel"):
    """The portal itself. ``user`` is absent without a token."""

    id: str
    is_portal: bool
    helper_services: HelperServices
    user: PortalUser | UnsetType = UNSET
    name: str = "Stepgate"
    portal_name: str = "Stepgate"
    current_version: str = CURRENT_VERSION


class PortalServer(msgspec.Struct, rename="camel"):
    """A server of the portal: this one. Both addresses are the public one, there is no other door."""

    id: str
    url: str
    admin_url: str
    name: str = "Stepgate"
    server_function: str = WORKFLOW_SERVER
    is_hosted: bool = False


class PortalServers(msgspec.Struct):
    """The servers of a portal of the enterprise shape."""

    servers: list[PortalServer]


class PortalItem(msgspec.Struct, rename="camel"):
    """A workflow item as the portal knows it."""

    id: str
    title: str
    owner: str
    type: str = ITEM_TYPE
    access: str = "org"


class PortalForm(msgspec.Struct):
    """What any form of the portal may hold: ``f`` is ignored, ``token`` counts where no header brought one."""

    f: str | None = None
    token: str | None = None


class TokenForm(msgspec.Struct):
    """A login. ``expiration`` in minutes, 60 when absent; ``client`` and ``referer`` are ignored."""

    username: str
    password: str
    expiration: str | None = None
    client: str | None = None
    referer: str | None = None
    f: str | None = None


class IssuedToken(msgspec.Struct):
    """A token, and the moment (milliseconds since 1970) from which it is not valid any more."""

    token: str
    expires: int
    ssl: bool


class SignInForm(msgspec.Struct):
    """What the sign-in page sends. ``oauth_state`` is from the page; the lifetime was fixed there."""

    oauth_state: str
    username: str
    password: str
    expiration: str | None = None
