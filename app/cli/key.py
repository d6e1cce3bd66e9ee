"""``stepgate key``: the key that signs tokens."""

import typer

from app.cli.options import DatabaseUrl, DataDir, execute, settings_of

app = typer.Typer(help="Rotate the key that signs tokens.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the command."""
    parent.add_typer(app, name="key")


@app.callback()
def _keys() -> None:
    """Keep ``rotate`` a command of its own: typer would make the only command the group itself."""


@app.command("rotate")
def rotate(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Sign with a new key from now on. Tokens signed before stay valid until they run out."""
    from app.bootstrap import new_signing_key
    from app.services.keys import rotate_signing_key

    settings = settings_of(data_dir=data_dir, database_url=database_url)
    key_id, secret = new_signing_key(settings)
    execute(settings, lambda unit: rotate_signing_key(unit, key_id, secret))
    print(f"Tokens are signed with the key {key_id} from now on.")
