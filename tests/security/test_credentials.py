"""Tokens on the client's side are kept for one origin and sent nowhere else."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from outrider import credentials
from outrider.errors import SettingsError


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:7878", "http://127.0.0.1:7878"),
        ("http://127.0.0.1:7878/p/mnist", "http://127.0.0.1:7878"),
        ("HTTP://Example.ORG", "http://example.org:80"),
        ("https://example.org.", "https://example.org:443"),
        ("http://[::1]:80/", "http://[::1]:80"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    """However a URL is spelled, its origin is the same text."""
    assert credentials.origin(url) == origin


def test_a_stored_token_goes_to_its_own_origin_only() -> None:
    """Another host, port or scheme gets nothing."""
    credentials.store("http://a.example:7878/", "secret-a")
    found = credentials.token_for("http://A.example:7878/p/x")
    assert found is not None
    assert found.value == "secret-a"
    for other in ("http://a.example:7879", "https://a.example:7878", "http://b.example:7878"):
        assert credentials.token_for(other) is None


def test_a_token_can_be_replaced_and_forgotten() -> None:
    """The last one stored counts, and forgetting says whether there was one."""
    credentials.store("http://a.example", "one")
    credentials.store("http://b.example", "two")
    credentials.store("http://a.example", "three")
    found = credentials.token_for("http://a.example")
    assert found is not None
    assert found.value == "three"
    assert credentials.forget("http://a.example")
    assert not credentials.forget("http://a.example")
    assert credentials.token_for("http://a.example") is None
    assert credentials.token_for("http://b.example") is not None


def test_the_files_are_for_this_user_alone_whatever_the_umask() -> None:
    """0600 for files, 0700 for their folders, at umask 0."""
    before = os.umask(0)
    try:
        paths = [
            credentials.store("http://a.example", "one"),
            credentials.write_local_server(1, url="http://x", token="t", data="/d", pid=1),
        ]
    finally:
        os.umask(before)
    for path in paths:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them() -> None:
    """Reading a credentials file with wide modes narrows them."""
    path = credentials.store("http://a.example", "one")
    os.chmod(path, 0o644)
    assert credentials.token_for("http://a.example") is not None
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_planted_symlink_is_not_followed(tmp_path: Path) -> None:
    """A credentials file that is a symlink is not believed."""
    target = tmp_path / "planted.toml"
    target.write_text('["http://a.example:80"]\ntoken = "planted"\n')
    path = Path(credentials.store("http://b.example", "one"))
    path.unlink()
    path.symlink_to(target)
    assert credentials.token_for("http://a.example") is None


@pytest.mark.parametrize("url_origin", ["folder", "/work/.outrider/settings.toml", "somewhere"])
def test_a_folder_that_names_a_server_is_not_sent_the_api_key(url_origin: str) -> None:
    """A cloned repository cannot name a server and be sent OUTRIDER_API_KEY."""
    assert credentials.token_for("http://evil.example", api_key="k", url_origin=url_origin) is None


@pytest.mark.parametrize(
    "url_origin", ["argument", "environment OUTRIDER_URL", "environment", "user file", "default"]
)
def test_a_server_chosen_by_the_person_is_sent_the_api_key(url_origin: str) -> None:
    """An argument, the environment, the user's own file and the default are the person's word."""
    found = credentials.token_for("http://a.example", api_key="k", url_origin=url_origin)
    assert found is not None
    assert found.value == "k"


def test_the_users_settings_file_is_the_persons_word(tmp_path: Path) -> None:
    """Settings name the user's file by its path; that path counts as the person's choice."""
    path = str(tmp_path / "config" / "outrider" / "settings.toml")
    assert credentials.token_for("http://a.example", api_key="k", url_origin=path) is not None


def test_a_local_servers_token_is_found_while_we_own_the_listener() -> None:
    """The file alone is not enough: somebody of this user must listen at that port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        assert credentials.token_for(url) is None
        credentials.write_local_server(port, url=url, token="local", data="/d", pid=os.getpid())
        for name in ("127.0.0.1", "localhost"):
            found = credentials.token_for(f"http://{name}:{port}")
            assert found is not None
            assert found.value == "local"
        assert credentials.token_for(f"http://127.0.0.2:{port}") is None
        assert credentials.token_for(f"http://example.org:{port}") is None
    assert credentials.token_for(url) is None


def test_a_listener_of_another_user_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a shared machine another user may have taken the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert credentials.listener_is_ours("127.0.0.1", port)
        own = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: own + 1)
        assert not credentials.listener_is_ours("127.0.0.1", port)


def test_an_ipv6_listener_is_recognised() -> None:
    """The kernel's hexadecimal form of ::1 is read right."""
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with listener:
        port = listener.getsockname()[1]
        assert credentials.listener_is_ours("::1", port)
        assert not credentials.listener_is_ours("127.0.0.1", port)


def test_local_servers_are_listed_and_removed() -> None:
    """The demo finds a running server through this list."""
    credentials.write_local_server(9, url="http://127.0.0.1:9", token="a", data="/a", pid=1)
    credentials.write_local_server(8, url="http://127.0.0.1:8", token="b", data="/b", pid=None)
    assert [server.url[-1] for server in credentials.local_servers()] == ["8", "9"]
    credentials.remove_local_server(9)
    credentials.remove_local_server(9)
    assert [server.pid for server in credentials.local_servers()] == [None]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url":1}', "\x00\x00", '{"url":"a"}'])
def test_a_damaged_local_server_file_is_no_server(text: str) -> None:
    """Garbage in the state folder is not a token and not an exception."""
    path = credentials.write_local_server(9, url="http://x", token="t", data="", pid=1)
    Path(path).write_text(text)
    assert credentials.local_server(9) is None


def test_a_damaged_credentials_file_is_named() -> None:
    """The person is told which file to mend."""
    path = credentials.store("http://a.example", "one")
    Path(path).write_text("not toml")
    with pytest.raises(SettingsError, match=r"credentials\.toml"):
        credentials.token_for("http://a.example")


@pytest.mark.parametrize("token", ["", "a\nb", "ä"])
def test_a_token_that_cannot_stand_in_a_header_is_refused(token: str) -> None:
    """Line breaks and foreign letters never reach a header or the file."""
    with pytest.raises(SettingsError):
        credentials.store("http://a.example", token)


def test_a_token_does_not_show_in_a_repr() -> None:
    """Tracebacks and logs print reprs."""
    assert "secret" not in repr(credentials.Token("secret", "here"))
    assert "secret" not in repr(credentials.LocalServer("http://x", 1, "secret", "/d"))
