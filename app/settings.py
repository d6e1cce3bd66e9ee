"""Settings: one table of what can be set, read from ``STEPGATE_*`` variables and overridden by command-line options.

A field ``max_frame_bytes`` is the variable ``STEPGATE_MAX_FRAME_BYTES``. Units are in the names. Nothing here is read
at import; ``read_settings`` is called once by whoever starts the program.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

PREFIX = "STEPGATE_"

CLIENT_VARIABLES = frozenset({"STEPGATE_URL", "STEPGATE_TOKEN", "STEPGATE_ITEM"})
"""Variables of the terminal client: known, and none of the server's business."""

_SECRETS = frozenset({"admin_password", "secret_key", "database_url", "redis_url"})
"""Settings whose values no message may show."""

FOREIGN_PREFIXES = ("STEPGATE_TEST_", "STEPGATE_BENCH_")
"""Variables of the test suite and the benchmarks."""

_ORIGIN = re.compile(r"https?://[^/?#\s@]+")
_HOST_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")

Port = Annotated[int, Meta(ge=0, le=65535)]
Text = Annotated[str, Meta(min_length=1)]
MasterKey = Annotated[str, Meta(min_length=16)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
LogLevel = Literal["trace", "debug", "info", "warning", "error"]
LogFormat = Literal["auto", "text", "json"]


class SettingsError(ValueError):
    """A setting is unknown or has a value it cannot have; ``faults`` has one sentence for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = tuple(faults)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set. Each field says in its description what it does; ``describe`` lists them."""

    # where it listens
    host: Annotated[str, Meta(min_length=1, description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port to listen on; 0 takes a free one.")] = 8080
    workers: Annotated[int, Meta(ge=1, le=256, description="Serving processes; more than one share the port.")] = 1
    public_url: Annotated[
        str | None, Meta(description="URL by which clients reach the server, when a proxy stands before it.")
    ] = None
    tls_cert: Annotated[Path | None, Meta(description="TLS certificate chain (PEM file).")] = None
    tls_key: Annotated[Path | None, Meta(description="Private key of the TLS certificate (PEM file).")] = None
    tls_self_signed: Annotated[
        bool, Meta(description="Serve TLS with a self-signed certificate, made once and kept in the data folder.")
    ] = False

    # where it keeps things
    data_dir: Annotated[Path, Meta(description="Folder of the SQLite database and of what the server makes.")] = Path(
        "stepgate-data"
    )
    database_url: Annotated[
        str | None, Meta(description="PostgreSQL database (postgresql://...); without it SQLite in the data folder.")
    ] = None
    database_connections: Annotated[
        int, Meta(ge=1, le=100, description="PostgreSQL connections for transactions of one process.")
    ] = 8
    attachments_dir: Annotated[
        Path | None,
        Meta(
            description="Folder of attached files, for all servers; without it the data folder, on PostgreSQL the "
            "database."
        ),
    ] = None
    redis_url: Annotated[
        str | None, Meta(description="Redis (redis://... or rediss://...) that carries messages between servers.")
    ] = None
    store_queue: Annotated[
        Positive, Meta(description="Transactions that may wait; beyond it requests are answered 503.")
    ] = 2_000

    # logs and people
    log_level: Annotated[LogLevel, Meta(description="Least severe log lines to write.")] = "info"
    log_format: Annotated[
        LogFormat, Meta(description="Log lines as text, as JSON, or (auto) as text on a terminal and JSON elsewhere.")
    ] = "auto"
    admin_password: Annotated[
        Text | None, Meta(description="Password of the user admin, used at the first start only.")
    ] = None
    secret_key: Annotated[
        MasterKey | None,
        Meta(description="Encrypts the keys kept in the database; the same for all its servers."),
    ] = None
    token_ttl_s: Annotated[int, Meta(ge=1, le=31_622_400, description="How long a token is valid, in seconds.")] = (
        43_200
    )

    # the v3 dialects
    v3_item: Annotated[
        Text | None, Meta(description="Workflow item whose jobs the v3 API serves; without it the first one.")
    ] = None
    v3_app_only: Annotated[
        bool, Meta(description="GET /v3/jobs/{jobId} shows only jobs of workflows that begin with questions.")
    ] = False

    # steps
    node_lease_s: Annotated[
        Seconds, Meta(description="Seconds after its last renewal at which a process counts as dead.")
    ] = 15.0
    node_renew_s: Annotated[Seconds, Meta(description="Seconds between renewals of the lease.")] = 5.0
    max_steps_per_template: Annotated[
        Positive, Meta(description="Service steps of one job template that a process executes at once; others wait.")
    ] = 50
    max_steps_per_host: Annotated[
        Positive,
        Meta(description="E-mails, web requests and geoprocessing at one host at once, for each process; others wait."),
    ] = 20
    allow_private_addresses: Annotated[
        str | None,
        Meta(
            description="Addresses, networks and host names, with commas between, that steps may connect to although "
            "they are not public (10.1.0.0/16,gis.internal)."
        ),
    ] = None
    trusted_certificates: Annotated[
        Path | None,
        Meta(description="Certificate authorities (PEM file) that steps trust beside those of the system."),
    ] = None

    email_timeout_s: Annotated[
        Seconds, Meta(description="Seconds a mail server may take to be ready for an e-mail, and again to take it.")
    ] = 60.0

    allow_unsecure_webhooks: Annotated[
        bool, Meta(description="Let webhooks without a secret make jobs: whoever knows their address can.")
    ] = False

    # pages from elsewhere
    allowed_pages: Annotated[
        str | None,
        Meta(
            description="Origins, with commas between, whose pages may use the API in a browser "
            "(https://maps.example.org,http://localhost:5173); * for all."
        ),
    ] = None

    # what one peer may ask for
    max_body_bytes: Annotated[Positive, Meta(description="Largest body of an HTTP request.")] = 10 * 1024 * 1024
    max_attachment_bytes: Annotated[Positive, Meta(description="Largest file that can be attached.")] = 10 * 1024 * 1024
    max_frame_bytes: Annotated[Positive, Meta(description="Largest websocket message a client may send.")] = 1024 * 1024
    max_subscriptions: Annotated[Positive, Meta(description="Jobs one websocket may subscribe to.")] = 1_000
    max_replay_messages: Annotated[
        Positive, Meta(description="Missed messages of one job sent again; beyond it recovery answers too_many.")
    ] = 10_000
    accept_per_s: Annotated[Positive, Meta(description="New websockets per second, all addresses together.")] = 2_500
    accept_burst: Annotated[Positive, Meta(description="New websockets one address may open at once.")] = 1_000

    # slow consumers
    soft_unsent_bytes: Annotated[
        Positive, Meta(description="Unsent bytes of one websocket that are borne for soft_unsent_s.")
    ] = 256 * 1024
    soft_unsent_s: Annotated[Seconds, Meta(description="Seconds above soft_unsent_bytes before a peer is cut.")] = 10.0
    hard_unsent_bytes: Annotated[
        Positive, Meta(description="Unsent bytes of one websocket at which it is cut at once.")
    ] = 1_000_000
    unsent_budget_bytes: Annotated[
        Positive, Meta(description="Unsent bytes of all websockets together; beyond it the largest are cut.")
    ] = 256 * 1024 * 1024

    # keeping connections
    ping_interval_s: Annotated[Seconds, Meta(description="Seconds between websocket pings.")] = 20.0
    ping_timeout_s: Annotated[Seconds, Meta(description="Seconds to wait for the answer to a ping.")] = 20.0
    shutdown_drain_s: Annotated[
        float, Meta(ge=0, description="Seconds over which many websockets are asked to reconnect at shutdown.")
    ] = 5.0
    shutdown_grace_s: Annotated[
        int, Meta(ge=1, description="Seconds that requests and websockets then have to end.")
    ] = 10

    @property
    def uses_sqlite(self) -> bool:
        """The database is a file in the data folder: one serving process."""
        return self.database_url is None

    @property
    def allowed_addresses(self) -> tuple[str, ...]:
        """The exceptions of ``allow_private_addresses``, one by one."""
        words = (self.allow_private_addresses or "").split(",")
        return tuple(word.strip() for word in words if word.strip())

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins of ``allowed_pages``, one by one."""
        words = (self.allowed_pages or "").split(",")
        return tuple(word.strip() for word in words if word.strip())

    @property
    def uses_tls(self) -> bool:
        """The server itself speaks TLS."""
        return self.tls_self_signed or self.tls_cert is not None


def read_settings(environment: Mapping[str, str], options: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings from ``STEPGATE_*`` variables; ``options`` that are not None take precedence.

    An empty variable counts as not set. Raises:
        SettingsError: every fault at once: unknown variables (with the nearest known name), values that do not fit,
            and settings that contradict each other.
    """
    names = Settings.__struct_fields__
    faults = _unknown(environment, names)
    values: dict[str, Any] = {}
    for name in names:
        given = (options or {}).get(name)
        source = f"--{name.replace('_', '-')}" if given is not None else PREFIX + name.upper()
        value = given if given is not None else environment.get(PREFIX + name.upper()) or None
        if value is not None:
            _convert_into(values, name, value, source, faults)
    if faults:
        raise SettingsError(faults)
    settings = Settings(**values)
    _check_together(settings)
    return settings


def describe() -> list[tuple[str, str, str]]:
    """All settings as ``(variable, default, description)``, in the order of the table."""
    hints = get_type_hints(Settings, include_extras=True)
    defaults = Settings()
    return [
        (PREFIX + name.upper(), _shown(getattr(defaults, name)), _description(hints[name]))
        for name in Settings.__struct_fields__
    ]


def variables_of(settings: Settings) -> dict[str, str]:
    """The variables that ``read_settings`` makes the same settings of."""
    values = {name: getattr(settings, name) for name in Settings.__struct_fields__}
    return {PREFIX + name.upper(): _shown(value) for name, value in values.items() if value is not None}


def _unknown(environment: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    known = {PREFIX + name.upper() for name in names} | CLIENT_VARIABLES
    faults = []
    for variable in environment:
        if not variable.startswith(PREFIX) or variable in known or variable.startswith(FOREIGN_PREFIXES):
            continue
        near = get_close_matches(variable, sorted(known), n=1, cutoff=0.0)[0]
        faults.append(f"There is no setting {variable}; the nearest one is {near}.")
    return faults


def _convert_into(values: dict[str, Any], name: str, value: Any, source: str, faults: list[str]) -> None:
    try:
        values[name] = _convert(name, value)
    except (msgspec.ValidationError, ValueError) as error:
        shown = "the value given" if name in _SECRETS else repr(str(value))
        faults.append(f"{source}: {shown} does not fit: {error}.")


def _convert(name: str, value: Any) -> Any:
    hint = get_type_hints(Settings, include_extras=True)[name]
    if isinstance(value, str) and _base(hint) is bool:
        return _boolean(value)
    return msgspec.convert(value, hint, strict=False, dec_hook=_from_text)


def _from_text(wanted: type, value: Any) -> Any:
    if wanted is Path and isinstance(value, str | Path):
        return Path(value).expanduser()
    raise NotImplementedError(f"no setting has the type {wanted!r}")


def _boolean(text: str) -> bool:
    """Read a switch. Any other word is refused: ``STEPGATE_TLS_SELF_SIGNED=no-thanks`` must not mean yes."""
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError("expected true or false")
    return words[text.lower()]


def _check_together(settings: Settings) -> None:
    faults = []
    if settings.node_renew_s * 2 > settings.node_lease_s:
        faults.append(
            "STEPGATE_NODE_RENEW_S must be at most half of STEPGATE_NODE_LEASE_S, or a late renewal loses runs."
        )
    if settings.soft_unsent_bytes > settings.hard_unsent_bytes:
        faults.append("STEPGATE_SOFT_UNSENT_BYTES must not be above STEPGATE_HARD_UNSENT_BYTES.")
    if (settings.tls_cert is None) != (settings.tls_key is None):
        faults.append("--tls-cert and --tls-key belong together: give both or neither.")
    if settings.tls_self_signed and settings.tls_cert is not None:
        faults.append(
            "--tls-self-signed makes its own certificate: leave it out, or leave out --tls-cert and --tls-key."
        )
    if settings.database_url is not None and not settings.database_url.startswith(
        ("postgresql://", "postgresql+psycopg://")
    ):
        faults.append("--database-url must begin with postgresql:// (or be left out for SQLite in the data folder).")
    faults += _redis_faults(settings)
    if settings.workers > 1 and (settings.uses_sqlite or settings.redis_url is None):
        faults.append(
            "--workers above 1 needs PostgreSQL and Redis between the processes: give --database-url and --redis-url."
        )
    if settings.public_url is not None and not settings.public_url.startswith(("http://", "https://")):
        faults.append("--public-url must begin with http:// or https://.")
    faults += [
        f"STEPGATE_ALLOW_PRIVATE_ADDRESSES: {word!r} is neither an address, a network, nor the name of a host."
        for word in settings.allowed_addresses
        if not _is_place(word)
    ]
    faults += [
        f"STEPGATE_ALLOWED_PAGES: {origin!r} is no origin; write it like https://maps.example.org, or * for all."
        for origin in settings.allowed_origins
        if origin != "*" and not _ORIGIN.fullmatch(origin)
    ]
    if faults:
        raise SettingsError(faults)


def _redis_faults(settings: Settings) -> list[str]:
    if settings.redis_url is None:
        return []
    faults = []
    if not _is_redis_url(settings.redis_url):
        faults.append(
            "--redis-url must be redis://HOST:PORT or rediss://HOST:PORT (TLS), with user:password@ if needed."
        )
    if settings.uses_sqlite:
        faults.append(
            "--redis-url connects several servers, and SQLite has only one: give --database-url postgresql://... as "
            "well, or leave --redis-url out."
        )
    return faults


def _is_redis_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def _is_place(word: str) -> bool:
    """Tell a mistyped network from a host's name: a name has a letter and no slash."""
    try:
        ip_network(word, strict=False)
    except ValueError:
        return _HOST_NAME.fullmatch(word) is not None
    return True


def _description(hint: Any) -> str:
    return next(meta.description for meta in hint.__metadata__ if isinstance(meta, Meta) and meta.description)


def _base(hint: Any) -> Any:
    return hint.__origin__ if hasattr(hint, "__metadata__") else hint


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
