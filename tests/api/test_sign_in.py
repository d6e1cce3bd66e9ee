"""The sign-in pages, asked as the vendor's Python client asks them, and as somebody would who wants another's token."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.services.first_start import ADMIN
from tests.api.conftest import ITEM, Api, error, ok

OWN = "https://testserver"


def page(api: Api, redirect_uri: str = OWN, root: str = "", **more: str) -> Any:
    query = {
        "response_type": "token", "client_id": "pythonapi", "redirect_uri": redirect_uri, "state": "a&b=c+d",
        "expiration": "600", "allow_verification": "false", "style": "dark", "locale": "en-US",
    }  # fmt: skip
    return api.client.get(f"{root}/sharing/rest/oauth2/authorize", params=query | more)


def first_braces(text: str) -> str:
    """The first ``{...}`` in one line: what that client takes out of a page."""
    found = re.search(r"\{.*\}", text)
    assert found
    return found[0]


def sign_in(api: Api, sealed: str, password: str = "pw", root: str = "", username: str = ADMIN) -> Any:  # noqa: S107
    form = {"oauth_state": sealed, "username": username, "password": password, "expiration": "600"}
    return api.client.post(f"{root}/sharing/oauth2/signin", data=form, follow_redirects=False)


def sealed_in(response: Any) -> str:
    return str(json.loads(first_braces(response.text))["oauth_state"])


@pytest.mark.parametrize("root", ["", "/portal", "/workflow"])
def test_a_login_leads_back_with_a_token_and_the_state(api: Api, root: str) -> None:
    page(api, root=root)
    shown = page(api, root=root)
    assert "Invalid redirect_uri" not in shown.text
    done = sign_in(api, sealed_in(shown), root=root)
    assert done.status_code == 302
    address, _, fragment = done.headers["location"].partition("#")
    assert address == OWN
    told = {name: values[0] for name, values in parse_qs(fragment).items()}
    assert told["state"] == "a&b=c+d"
    assert told["token_type"] == "bearer"
    assert told["expires_in"] == "36000"
    ok(api.client.get(ITEM, headers={"X-Esri-Authorization": f"Bearer {told['access_token']}"}))


def test_a_wrong_password_is_told_as_that_client_reads_it_and_may_be_tried_again(api: Api) -> None:
    refused = sign_in(api, sealed_in(page(api)), "wrong")
    assert refused.status_code == 200
    assert "OAUTH_0015" in refused.text
    told = json.loads(first_braces(refused.text).replace("'", '"'))
    assert told["messages"] == ["The user name or the password is not right."]
    again = re.search(r'name="oauth_state" value="([^"]+)"', refused.text)
    assert again
    assert sign_in(api, again[1]).status_code == 302


@pytest.mark.parametrize(
    "redirect_uri", [OWN, f"{OWN}/back?x=1", "http://localhost:8000/callback", "http://127.0.0.1:1", "http://[::1]:2/x"]
)
def test_a_token_may_go_to_this_server_and_to_the_own_machine(api: Api, redirect_uri: str) -> None:
    done = sign_in(api, sealed_in(page(api, redirect_uri)))
    assert done.headers["location"].startswith(f"{redirect_uri}#access_token=")


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "", "https://evil.example", "http://testserver", "https://testserver:444", "https://testserver.evil.example",
        "https://testserver@evil.example", "https://evil.example/https://testserver", "//testserver", "/back",
        "https:\\\\evil.example", "https://evil.example\\@testserver", "https://localhost@evil.example",
        "http://localhost.evil.example", "http://localhost:x", "javascript:alert(1)//localhost", "https://[::1",
        "urn:ietf:wg:oauth:2.0:oob", "https://testserver#x", "http://localhost\t/", "https://testsërver",
        "http://localhost/" + "x" * 600, '"><script>alert(1)</script>',
    ],
)  # fmt: skip
def test_a_token_goes_nowhere_else(api: Api, redirect_uri: str) -> None:
    shown = page(api, redirect_uri)
    assert shown.status_code == 200
    assert "Invalid redirect_uri" in shown.text
    assert "oauth_state" not in shown.text
    assert "<script" not in shown.text


def test_what_was_not_sealed_here_opens_nothing(api: Api) -> None:
    sealed = sealed_in(page(api))
    for other in ("", "nonsense", api.token(), sealed[:-3] + "xxx", api.gateway.tokens.seal("sign-in", "{}", -10)):
        refused = sign_in(api, other)
        assert refused.status_code == 200
        assert "too old, or was changed" in refused.text
        assert "location" not in refused.headers
    assert error(api.client.get(ITEM, headers={"Authorization": f"Bearer {sealed}"}), 401)


def test_other_grants_and_a_state_that_is_too_long_are_refused(api: Api) -> None:
    assert "Invalid response_type" in page(api, response_type="code").text
    assert "Invalid state" in page(api, state="x" * 501).text
    assert "Invalid state" in page(api, state="ä").text
    assert sign_in(api, sealed_in(page(api, state="\\" * 500))).status_code == 302


def test_the_page_needs_nothing_from_elsewhere_and_lets_nothing_in(api: Api) -> None:
    shown = page(api, "http://localhost:8000/callback")
    assert not re.search(r"<script|<link|src=|@import|https?://", shown.text)
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://localhost:8000" in policy
    assert "unsafe" not in policy
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["referrer-policy"] == "no-referrer"


def test_the_form_leads_to_the_sign_in_from_both_pages(api: Api) -> None:
    shown = page(api, root="/portal")
    refused = sign_in(api, sealed_in(shown), "wrong", root="/portal")
    for response in (shown, refused):
        action = re.search(r'action="([^"]+)"', response.text)
        assert action
        assert urlsplit(str(response.url.join(action[1]))).path == "/portal/sharing/oauth2/signin"


def test_no_password_and_no_token_is_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    sign_in(api, sealed_in(page(api)), "some-secret-word")
    token = parse_qs(urlsplit(sign_in(api, sealed_in(page(api))).headers["location"]).fragment)["access_token"][0]
    app_lines = "\n".join(record.getMessage() + str(record.__dict__) for record in caplog.records
                          if record.name.startswith("app"))  # fmt: skip
    assert app_lines
    assert token not in app_lines
    assert "some-secret-word" not in app_lines
