"""Settings: read from variables, overridden by options, and every mistake told at once."""

from pathlib import Path

import pytest

from app.settings import PREFIX, Settings, SettingsError, describe, read_settings


def test_without_variables_every_setting_has_its_default() -> None:
    assert read_settings({}) == Settings()


def test_variables_are_read_and_converted() -> None:
    settings = read_settings(
        {
            "STEPGATE_PORT": "9000",
            "STEPGATE_DATA_DIR": "/var/lib/stepgate",
            "STEPGATE_NODE_LEASE_S": "30.5",
            "STEPGATE_TLS_SELF_SIGNED": "yes",
            "HOME": "/root",
        }
    )
    assert settings.port == 9000
    assert settings.data_dir == Path("/var/lib/stepgate")
    assert settings.node_lease_s == 30.5
    assert settings.tls_self_signed is True
    assert settings.uses_tls
    assert settings.uses_sqlite


def test_an_option_overrides_its_variable_and_an_absent_option_does_not() -> None:
    environment = {"STEPGATE_PORT": "9000", "STEPGATE_HOST": "::1"}
    settings = read_settings(environment, {"port": 9001, "host": None, "tls_self_signed": False})
    assert (settings.port, settings.host, settings.tls_self_signed) == (9001, "::1", False)


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read_settings({"STEPGATE_DATABASE_URL": "", "STEPGATE_PORT": ""}) == Settings()


def test_an_unknown_variable_is_refused_with_the_nearest_known_name() -> None:
    with pytest.raises(SettingsError, match="no setting STEPGATE_PROT; the nearest one is STEPGATE_PORT"):
        read_settings({"STEPGATE_PROT": "9000"})


def test_variables_of_the_client_and_of_the_tests_are_left_alone() -> None:
    assert read_settings({"STEPGATE_TOKEN": "t", "STEPGATE_URL": "u", "STEPGATE_TEST_SCALE": "3"}) == Settings()


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"STEPGATE_PORT": "x", "STEPGATE_LOG_LEVEL": "loud", "STEPGATE_NOISE": "1"})
    assert len(caught.value.faults) == 3


def test_exceptions_for_private_addresses_are_addresses_networks_and_hosts() -> None:
    given = "10.0.0.0/8, ::1,gis.internal , 127.0.0.1,localhost"
    settings = read_settings({"STEPGATE_ALLOW_PRIVATE_ADDRESSES": given})
    assert settings.allowed_addresses == ("10.0.0.0/8", "::1", "gis.internal", "127.0.0.1", "localhost")
    assert Settings().allowed_addresses == ()


def test_pages_are_allowed_by_their_origins() -> None:
    settings = read_settings({"STEPGATE_ALLOWED_PAGES": "https://maps.example.org, http://localhost:5173"})
    assert settings.allowed_origins == ("https://maps.example.org", "http://localhost:5173")
    assert Settings().allowed_origins == ()
    with pytest.raises(SettingsError, match=r"'https://maps\.example\.org/' is no origin"):
        read_settings({"STEPGATE_ALLOWED_PAGES": "*,https://maps.example.org/"})


@pytest.mark.parametrize("word", ["10.0.0.0/33", "10.0.0.300", "gis/internal", "https://gis.internal", "a b", "-"])
def test_an_exception_that_is_neither_is_refused(word: str) -> None:
    with pytest.raises(SettingsError, match="STEPGATE_ALLOW_PRIVATE_ADDRESSES"):
        read_settings({"STEPGATE_ALLOW_PRIVATE_ADDRESSES": f"10.0.0.1,{word}"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "70000"),
        ("port", "-1"),
        ("port", "80.5"),
        ("log_level", "INFO "),
        ("tls_self_signed", "no-thanks"),
        ("node_lease_s", "0"),
        ("node_lease_s", "nan"),
        ("max_frame_bytes", "0"),
        ("token_ttl_s", "-5"),
        ("secret_key", "too short"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    variable = PREFIX + name.upper()
    with pytest.raises(SettingsError, match=variable):
        read_settings({variable: value})


@pytest.mark.parametrize(
    "environment", [{"STEPGATE_SECRET_KEY": "hunter2"}, {"STEPGATE_REDIS_URL": "redis://ana:hunter2@h:port"}]
)
def test_a_refused_secret_is_not_shown(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(environment)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"STEPGATE_NODE_LEASE_S": "5"}, "at most half"),
        ({"STEPGATE_SOFT_UNSENT_BYTES": "2000000"}, "must not be above"),
        ({"STEPGATE_TLS_CERT": "cert.pem"}, "belong together"),
        ({"STEPGATE_TLS_CERT": "c", "STEPGATE_TLS_KEY": "k", "STEPGATE_TLS_SELF_SIGNED": "1"}, "makes its own"),
        ({"STEPGATE_DATABASE_URL": "mysql://h/d"}, "must begin with postgresql://"),
        ({"STEPGATE_PUBLIC_URL": "gate.example"}, "must begin with http"),
        ({"STEPGATE_REDIS_URL": "redis://h:6379"}, "SQLite has only one: give --database-url"),
        ({"STEPGATE_REDIS_URL": "http://h:6379", "STEPGATE_DATABASE_URL": "postgresql://h/d"}, "must be redis://"),
        ({"STEPGATE_REDIS_URL": "redis://h:port", "STEPGATE_DATABASE_URL": "postgresql://h/d"}, "must be redis://"),
        ({"STEPGATE_REDIS_URL": "redis:///0", "STEPGATE_DATABASE_URL": "postgresql://h/d"}, "must be redis://"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(environment: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read_settings(environment)


def test_each_setting_is_described_with_its_default() -> None:
    table = {variable: (default, text) for variable, default, text in describe()}
    assert list(table) == [PREFIX + name.upper() for name in Settings.__struct_fields__]
    assert table["STEPGATE_PORT"][0] == "8080"
    assert table["STEPGATE_DATABASE_URL"][0] == ""
    assert all(text.endswith(".") for _, text in table.values())
