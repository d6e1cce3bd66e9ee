"""The sign-in page: one small document without a script, which programs read as well as people."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Final

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 20rem; margin: 15vh auto; padding: 0 1rem; }
label { display: block; margin-top: 1rem; }
input, button { font: inherit; box-sizing: border-box; width: 100%; padding: .4rem; }
button { margin-top: 1.5rem; }
[role=alert] { border-left: 4px solid #c33; padding-left: .6rem; }
"""

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_FORM: Final = """<form method="post" action="%s">
<input type="hidden" name="oauth_state" value="%s">
<label>User name <input name="username" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button>
</form>
"""

_ACTION_AT_FIRST: Final = "../../oauth2/signin"
_ACTION_AGAIN: Final = "signin"
"""From ``sharing/rest/oauth2/authorize`` and from ``sharing/oauth2/signin`` to the latter, also behind a proxy."""

_LOGIN_REFUSED: Final = "OAUTH_0015"


def sign_in_page(sealed: str, fault: str | None = None) -> str:
    """The page with its form.

    Args:
        sealed: what was asked for, signed; letters, digits and ``._-``.
        fault: why the last try failed.

    The vendor's Python client looks for the first ``{...}`` in one line. At the beginning that holds ``oauth_state``,
    after a wrong login ``messages``, which that client wants in single quotes; hence no quotes in the message.
    """
    state = escape(sealed)
    if fault is None:
        meta = f"""<meta name="sign-in" content='{{"oauth_state":"{state}"}}'>"""
        return _head(meta) + _FORM % (_ACTION_AT_FIRST, state)
    told = escape(fault).replace("&#x27;", "").replace("&quot;", "")
    meta = f"""<meta name="sign-in-{_LOGIN_REFUSED}" content="{{'messages':['{told}']}}">"""
    return f'{_head(meta)}<p role="alert">{told}</p>\n{_FORM % (_ACTION_AGAIN, state)}'


def refusal_page(message: str) -> str:
    """A page that only says why there is no form."""
    return f'{_head("")}<p role="alert">{escape(message)}</p>\n'


def _head(meta: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in - Stepgate</title>
{meta}
<style>{_STYLE}</style>
<h1>Stepgate</h1>
"""
