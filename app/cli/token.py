"""``stepgate token``: print a bearer token."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import DatabaseUrl, DataDir, on_store, settings_of
from app.errors import NotFound
from app.settings import Settings

if TYPE_CHECKING:
    from app.services.ports import Store


def token(
    username: Annotated[str, typer.Argument(metavar="USER", help="Whom the token speaks for.")],
    ttl: Annotated[
        int | None,
        typer.Option(min=1, metavar="SECONDS", help="How long it is valid. (STEPGATE_TOKEN_TTL_S, default 43200)"),
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Print a bearer token of a user, and nothing else. Works while the server runs."""
    print(make_token(settings_of(data_dir=data_dir, database_url=database_url, token_ttl_s=ttl), username))


def make_token(settings: Settings, username: str) -> str:
    """Sign a token with the database's key. Raises NotFound for a user who does not exist or is disabled."""
    from app.bootstrap import tokens_of

    async def issue(store: "Store") -> str:
        user = await store.read(lambda tx: tx.user(username))
        if user is None or user.disabled:
            reason = "is disabled" if user else "does not exist"
            raise NotFound(f"The user {username!r} {reason}.", name="UserNotFound")
        return (await tokens_of(settings, store)).issue(username, settings.token_ttl_s)

    issued: str = on_store(settings, issue)
    return issued


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(token)
