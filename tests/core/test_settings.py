"""Settings: where they come from, which goes first, and what is said of a wrong one."""

from pathlib import Path

import pytest

from app.core.settings import GROUPS, Settings, SettingsError, environment_name, is_loopback, load_settings

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(environment_name(name), raising=False)


def test_defaults_mean_the_embedded_database_on_loopback() -> None:
    settings = load_settings()

    assert settings.dsn is None
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8000, Path(".data"))


def test_database_url_goes_before_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_HOST", "elsewhere")
    assert load_settings().dsn == "postgresql://colloquy@elsewhere:5432/colloquy"

    monkeypatch.setenv("DATABASE_URL", "postgres://a:b@db/c")
    assert load_settings().dsn == "postgres://a:b@db/c"


@pytest.mark.parametrize(
    ("parts", "dsn"),
    [
        ({"HOST": "db"}, "postgresql://colloquy@db:5432/colloquy"),
        ({"HOST": "::1", "PORT": "6000"}, "postgresql://colloquy@[::1]:6000/colloquy"),
        (
            {"HOST": "db", "USER": "a@b", "PASSWORD": "p/:@ä", "DB": "my db"},
            "postgresql://a%40b:p%2F%3A%40%C3%A4@db:5432/my%20db",
        ),
        ({"PASSWORD": SECRET, "USER": "somebody"}, None),
    ],
    ids=["host", "IPv6", "quoted", "no host"],
)
def test_parts_make_an_address(monkeypatch: pytest.MonkeyPatch, parts: dict[str, str], dsn: str | None) -> None:
    for name, given in parts.items():
        monkeypatch.setenv(f"POSTGRES_{name}", given)

    assert load_settings().dsn == dsn


def test_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(environment_name(name), "")

    assert load_settings() == Settings()


def test_flag_goes_before_the_environment_and_none_is_no_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLOQUY_PORT", "9000")

    assert load_settings(port=9001).port == 9001
    assert load_settings(port=None).port == 9000
    assert load_settings(port=0).port == 0


WRONG = [
    ("COLLOQUY_PORT", "many"), ("COLLOQUY_PORT", "-1"), ("COLLOQUY_PORT", "65536"), ("COLLOQUY_POOL_SIZE", "0"),
    ("COLLOQUY_POOL_SIZE", "1001"), ("COLLOQUY_POOL_SIZE", "1.5"), ("COLLOQUY_POOL_IDLE_SECONDS", "0"),
    ("COLLOQUY_CONNECT_TIMEOUT_SECONDS", "-1"), ("COLLOQUY_STATEMENT_TIMEOUT_SECONDS", "soon"),
    ("COLLOQUY_SHUTDOWN_SECONDS", "nan"), ("COLLOQUY_MIGRATE_ON_START", "perhaps"), ("COLLOQUY_LOG_LEVEL", "loud"),
    ("COLLOQUY_AUTH", "perhaps"), ("COLLOQUY_MAX_BODY_BYTES", "1"), ("COLLOQUY_HOST", "0.0.0.0"),
    ("COLLOQUY_INTENT_CATALOGUE", "/no/such/file"), ("POSTGRES_PORT", "x"),
    ("POSTGRES_PORT", "0"), ("POSTGRES_PORT", "65536"), ("COLLOQUY_STATEMENT_TIMEOUT_SECONDS", "inf"),
    ("COLLOQUY_SHUTDOWN_SECONDS", "inf"),
    ("COLLOQUY_CONTEXT_WINDOWS", "llama3=8192"), ("COLLOQUY_CONTEXT_WINDOWS", "compatible:llama3"),
    ("COLLOQUY_CONTEXT_WINDOWS", "compatible:llama3=many"), ("COLLOQUY_CONTEXT_WINDOWS", "compatible:llama3=255"),
    ("COLLOQUY_CONTEXT_WINDOWS", "compatible:a=300,compatible:a=400"), ("COLLOQUY_CONTEXT_WINDOW_DEFAULT", "0"),
    ("COLLOQUY_OUTPUT_RESERVE_TOKENS", "-1"),
    ("DATABASE_URL", f"mysql://root:{SECRET}@db/x"), ("DATABASE_URL", SECRET),
    ("DATABASE_READ_URL", f"mysql://root:{SECRET}@db/x"), ("DATABASE_READ_URL", f"postgresql://a:{SECRET}@db/x"),
    ("COLLOQUY_POOLER", "session"), ("COLLOQUY_POOLER", "transaction"), ("COLLOQUY_READ_WAIT_SECONDS", "0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given"), WRONG, ids=lambda part: str(part).replace(SECRET, "secret"))
def test_wrong_value_is_one_line_that_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str
) -> None:
    monkeypatch.setenv(name, given)
    monkeypatch.setenv("POSTGRES_PASSWORD", SECRET)

    with pytest.raises(SettingsError) as refused:
        load_settings()

    assert str(refused.value).startswith(name)
    assert "\n" not in str(refused.value)
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__


def test_windows_of_models_are_read_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLOQUY_CONTEXT_WINDOWS", " compatible:llama3:8b=8192, openai:ft=x/y=200000,")

    assert load_settings().window_of_model == {"compatible:llama3:8b": 8_192, "openai:ft=x/y": 200_000}


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLOQUY_LOG_LEVEL", "loud")
    monkeypatch.setenv("COLLOQUY_PORT", "x")

    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert sorted(line.partition(":")[0] for line in str(refused.value).split("; ")) == [
        "COLLOQUY_LOG_LEVEL", "COLLOQUY_PORT",
    ]  # fmt: skip


def test_secrets_are_not_shown_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD", SECRET)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://a:{SECRET}@db/c")

    assert SECRET not in repr(load_settings())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1"])
def test_loopback_addresses_may_be_open(host: str) -> None:
    assert is_loopback(host)
    assert load_settings(host=host).host == host


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "", "127.evil.example", "localhost.evil.example", "127.1", "10.0.0.1", "::2", " 127.0.0.1"],
)
def test_other_addresses_may_not_be_open(host: str) -> None:
    assert not is_loopback(host)

    with pytest.raises(SettingsError, match="COLLOQUY_HOST"):
        load_settings(host=host)


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ("", ()),
        ("https://app.example.com", ("https://app.example.com",)),
        (
            " http://localhost:3000 ,https://xn--bcher-kva.example:8443,, http://[::1]:1",
            ("http://localhost:3000", "https://xn--bcher-kva.example:8443", "http://[::1]:1"),
        ),
    ],
)
def test_origins_are_listed_with_commas(monkeypatch: pytest.MonkeyPatch, given: str, origins: tuple[str, ...]) -> None:
    monkeypatch.setenv("COLLOQUY_CORS_ORIGINS", given)

    assert load_settings().allowed_origins == origins


@pytest.mark.parametrize(
    "given",
    [
        "app.example.com", "https://app.example.com/", "https://app.example.com:443", "http://app.example.com:80",
        "https://App.example.com", "https://bücher.example", "https://u@app.example.com", "https://app.example.com?a",
        "ftp://app.example.com", "https://*.example.com", "null", "*, https://app.example.com", "https://a b", "https://a:",
        "https://a:99999",
    ],
)  # fmt: skip
def test_what_no_browser_sends_as_an_origin_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match="COLLOQUY_CORS_ORIGINS: must be origins"):
        load_settings(cors_origins=given)


def test_with_the_doors_open_not_every_page_may_ask() -> None:
    with pytest.raises(SettingsError, match=r"COLLOQUY_CORS_ORIGINS=\* with COLLOQUY_AUTH=off"):
        load_settings(cors_origins="*")


def test_no_group_hides_what_another_checks() -> None:
    # Groups are bases of one class: of two validators with one name, the second would never run.
    own = [name for group in GROUPS for name in vars(group) if not name.startswith("__") and name != "_abc_impl"]

    assert sorted(name for name in set(own) if own.count(name) > 1) == ["model_config"]
