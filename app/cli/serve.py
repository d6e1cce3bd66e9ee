"""``stepgate serve``: its options. Serving itself is in ``serving.py``, which only a server needs to import."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import DatabaseUrl, DataDir, settings_of


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on. (default 127.0.0.1)")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one. (default 8080)")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    redis_url: Annotated[
        str | None,
        typer.Option(help="Redis between several servers, redis://... (STEPGATE_REDIS_URL)", show_default=False),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Serving processes; above 1 with PostgreSQL and Redis. (default 1)")
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(help="trace, debug, info, warning or error. (default info)", metavar="LEVEL")
    ] = None,
    log_format: Annotated[str | None, typer.Option(help="auto, text or json. (default auto)", metavar="FORM")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="TLS certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key of the certificate (PEM).")] = None,
    tls_self_signed: Annotated[
        bool | None, typer.Option("--tls-self-signed", help="Serve TLS with a certificate of our own making.")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="URL by which clients reach the server, behind a proxy.")
    ] = None,
) -> int:
    """Serve the API and the websocket. Every option can also be set as STEPGATE_<OPTION>; there are more settings."""
    settings = settings_of(
        host=host,
        port=port,
        data_dir=data_dir,
        database_url=database_url,
        redis_url=redis_url,
        workers=workers,
        log_level=log_level,
        log_format=log_format,
        tls_cert=tls_cert,
        tls_key=tls_key,
        tls_self_signed=tls_self_signed,
        public_url=public_url,
    )
    if settings.workers > 1:
        from app.cli.supervisor import supervise_until_stopped

        return supervise_until_stopped(settings)
    from app.cli.serving import serve_until_stopped

    serve_until_stopped(settings)
    return 0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)
