"""``compose.yaml`` and the proxy's configuration, as far as they can be looked at without a container engine."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
import yaml  # type: ignore[import-untyped]

from app.settings import read_settings

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
COMPOSE = cast(dict[str, Any], yaml.safe_load(TEXT))
SERVICES = cast(dict[str, dict[str, Any]], COMPOSE["services"])
GATEWAYS = ("gateway1", "gateway2")

_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def filled_in(text: str, values: dict[str, str]) -> str:
    """What the engine makes of ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}``."""
    return _VARIABLE.sub(lambda found: values.get(found[1], found[3] if found[2] == "-" else ""), text)


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_gateway_gets_settings_it_understands(name: str) -> None:
    secrets = {"POSTGRES_PASSWORD": "pw", "STEPGATE_SECRET_KEY": "k" * 32, "STEPGATE_ADMIN_PASSWORD": "pw"}
    environment = SERVICES[name]["environment"]
    settings = read_settings({variable: filled_in(value, secrets) for variable, value in environment.items()})
    assert settings.database_url == "postgresql://stepgate:pw@postgres/stepgate"
    assert settings.redis_url == "redis://redis:6379/0"
    assert (settings.secret_key, settings.admin_password) == ("k" * 32, "pw")
    assert settings.public_url == "http://localhost:8080"


def test_the_gateways_are_alike() -> None:
    assert SERVICES["gateway1"] == SERVICES["gateway2"]


def test_whoever_forgets_a_secret_is_told_what_to_set() -> None:
    needed = {found[1]: found[3] for found in _VARIABLE.finditer(TEXT) if found[2] == "?"}
    assert set(needed) == {"POSTGRES_PASSWORD", "STEPGATE_SECRET_KEY", "STEPGATE_ADMIN_PASSWORD"}
    assert all(message.startswith("set ") for message in needed.values())
    head = TEXT.partition("\nname:")[0]
    assert all(name in head for name in needed)


def test_a_gateway_has_as_long_to_end_as_it_may_take() -> None:
    settings = read_settings({})
    grace = re.fullmatch(r"(\d+)s", SERVICES["gateway1"]["stop_grace_period"])
    assert grace
    assert int(grace[1]) > settings.shutdown_drain_s + settings.shutdown_grace_s


def test_each_waits_for_what_is_there_and_tells_when_it_is_healthy() -> None:
    """A gateway's own health check is the image's."""
    for service in SERVICES.values():
        for name, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in SERVICES[name] or "build" in SERVICES[name]


def test_the_proxys_configuration_is_there_and_valid() -> None:
    proxy = SERVICES["proxy"]
    (source, _, mode) = proxy["volumes"][0].split(":")
    assert mode == "ro"
    haproxy = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    assert haproxy, "haproxy is not installed: run `make test`, or install it"
    # Names of containers mean nothing here: addresses stand in for them.
    environment = proxy["environment"] | {f"GATEWAY{number}": "127.0.0.1:8080" for number in (1, 2)}
    done = subprocess.run(
        [haproxy, "-c", "-f", ROOT / source], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert set(proxy["depends_on"]) == {address.partition(":")[0] for address in _gateways(proxy)} == set(GATEWAYS)


def _gateways(proxy: dict[str, Any]) -> list[str]:
    return [value for name, value in proxy["environment"].items() if name.startswith("GATEWAY")]
