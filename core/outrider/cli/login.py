"""``outrider login``: keeps a token for a server, or opens the page of your own one."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from outrider.cli.exits import Exit
from outrider.cli.options import SERVER, command
from outrider.cli.screen import plain, say
from outrider.errors import ServerError, SettingsError, Unauthorized, UsageError

if TYPE_CHECKING:
    from outrider.credentials import Token
    from outrider.settings import Settings

app = command(SERVER, Exit.UNREACHABLE, Exit.UNAUTHORIZED)


@app.command()
def login(
    url: Annotated[
        Optional[str],  # noqa: UP045 - read at run time
        typer.Argument(metavar="URL", help="The server.", show_default="from the settings"),
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Ask for a token though one is kept.")
    ] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Remove the server's token.")] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Keep a token for a server, or open the page of your own one.

    A server of yours on this machine is found without a token. For another, the token is asked
    for (or read from standard input), tried, and kept for this server alone. With a URL, later
    runs go there, too.
    """
    from outrider import credentials
    from outrider.settings import load

    settings = load({"url": url})
    if forget:
        known = credentials.forget(settings.url)
        say(f"the token of {plain(settings.url)} is forgotten" if known else "there was no token")
        return
    _greet(settings.url)
    token = None if renew else _known_token(settings)
    is_new = token is None
    if token is None:
        token = credentials.Token(_ask_for_token(settings.url), "typed")
    me = _try(settings.url, token)
    if is_new:
        path = credentials.store(settings.url, token.value)
        say(f"token kept in {plain(path)}, for this server alone")
    say(f"[green]logged in[/] to {plain(settings.url)} as {plain(me.get('name'))} ({me['role']})")
    if url is not None:
        _remember(settings.url)
    link = login_link(settings.url, token)
    if link is not None:
        offer(link, open_it=browser)


def _greet(url: str) -> None:
    """Make sure that an Outrider server answers there before any token is sent."""
    from outrider.reading.remote import ask
    from outrider.transport import HttpTransport

    ask(HttpTransport(url), "GET", "/api/health")


def _known_token(settings: Settings) -> Token | None:
    from outrider.credentials import token_for

    return token_for(settings.url, api_key=settings.api_key, url_origin=settings.origin("url"))


def _ask_for_token(url: str) -> str:
    hint = f"its administrator makes one: outrider tokens create NAME --url {url}"
    if sys.stdin.isatty():
        say(f"[dim]a token for {plain(url)}; {plain(hint)}[/]", stderr=True)
        text = typer.prompt("Token", hide_input=True, err=True)
    else:
        text = sys.stdin.readline()
    if not text.strip():
        raise UsageError("no token was given", hint=hint)
    return str(text).strip()


def _try(url: str, token: Token) -> dict[str, Any]:
    from outrider.reading.remote import ask
    from outrider.transport import HttpTransport

    try:
        me: dict[str, Any] = ask(HttpTransport(url, token), "GET", "/api/me")
    except Unauthorized as error:
        hint = f"the token came from {token.source}; outrider login --renew asks for another"
        raise Unauthorized(error.message, hint=hint, status=error.status) from None
    return me


def _remember(url: str) -> None:
    """Make a server the user's own default, for runs and for commands."""
    from outrider.settings import DEFAULT_URL, load

    if load(cwd=os.sep, env={}).url == url:
        return
    try:
        path = write_user_url(None if url == DEFAULT_URL else url)
    except OSError as error:
        raise SettingsError(f"cannot write the user's settings: {error}") from error
    say(f"runs go there from now on ({plain(path)})")
    settled = load()
    if settled.url != url:  # the environment or this folder's file is stronger
        say(f"[yellow]but[/] here {plain(settled.origin('url'))} says {plain(settled.url)}")


def write_user_url(url: str | None) -> str:
    """Set (or, with None, remove) ``url`` in the user's settings file; returns its path."""
    import json

    from outrider.folder import write_file
    from outrider.settings import user_file

    path = user_file()
    if path is None:
        raise SettingsError("there is no home folder for settings", hint="set OUTRIDER_URL")
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        lines = []
    lines = [line for line in lines if not re.match(r"\s*[\"']?url[\"']?\s*=", line)]
    if url is not None:
        lines.insert(0, f"url = {json.dumps(url)}")
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    write_file(path, "".join(line + "\n" for line in lines).encode())
    return path


def login_link(url: str, token: Token | None, *, opens: str | None = None) -> str | None:
    """A one-time link that logs a browser in, or None where the token may not make one.

    It leads to the project ``opens``, or to all of them.
    """
    from outrider.reading.remote import ask
    from outrider.transport import HttpTransport

    try:
        made = ask(HttpTransport(url, token), "POST", "/api/login-codes", json={"opens": opens})
    except ServerError:
        return None
    return str(made["url"])


def offer(link: str, *, open_it: bool) -> None:
    """Print a login link, and open it where there is a screen to open it on."""
    say(f"open [bold blue underline]{plain(link)}[/]")
    say("[dim]the link works once and expires[/]")
    if open_it and sys.stdout.isatty() and _has_screen():
        import webbrowser

        webbrowser.open(link)


def _has_screen() -> bool:
    """Whether a graphical browser can be opened (a textual one would take the terminal)."""
    if sys.platform == "darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
