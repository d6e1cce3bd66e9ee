"""Web requests as they are to be sent: expressions computed, in one transaction (docs/service-steps.md).

Nothing here sends anything, or knows a secret: those stay names of settings until the request is sent.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from app.protocol.service_args import Authentication, Pair
from app.protocol.web_request import WebAnswerUse, WebRequestArgs
from app.services.texts import Texts


def compose(texts: Texts, args: WebRequestArgs) -> WebRequestArgs:
    """The same request with its expressions computed: its texts are not to be read as expressions again.

    Raises StepFailed.
    """
    return replace(
        args,
        url=texts.url(args.url),
        headers=_pairs(texts, "headers", args.headers),
        query=_pairs(texts, "query", args.query),
        body=None if args.body is None else texts.content("body", args.body),
        authentication=composed_authentication(texts, args.authentication),
        response=_response(texts, args.response),
    )


def composed_authentication(texts: Texts, auth: Authentication | None) -> Authentication | None:
    """Credentials with the user's name computed. Raises StepFailed."""
    if auth is None or auth.type != "Basic":
        return auth
    return replace(auth, username=texts.text("authentication.username", auth.username or ""))


def _pairs(texts: Texts, place: str, pairs: Sequence[Pair] | None) -> list[Pair]:
    """Without those that are switched off: they are not even computed."""
    return [
        pair if pair.setting is not None else replace(pair, value=texts.text(f"{place} {pair.key}", pair.value or ""))
        for pair in pairs or ()
        if pair.is_enabled is not False
    ]


def _response(texts: Texts, use: WebAnswerUse | None) -> WebAnswerUse | None:
    if use is None or use.attachment is None:
        return use
    kept = replace(use.attachment, file_name=texts.text("fileName", use.attachment.file_name))
    return replace(use, attachment=kept)
