"""``outrider tokens``: who may read, write and administer the server."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Optional
from urllib.parse import quote

import typer

from outrider.cli.exits import Exit
from outrider.cli.options import SERVER, Json, Url, command
from outrider.cli.screen import ago, console, plain, print_json, say, table

app = command(SERVER, Exit.NOT_FOUND, Exit.UNREACHABLE, Exit.UNAUTHORIZED)


class Role(str, Enum):
    """What a token may do; each role may do what those before it may."""

    read = "read"
    write = "write"
    admin = "admin"


@app.callback(no_args_is_help=True)
def tokens() -> None:
    """Create, list and revoke the server's tokens."""


def _ask(url: str | None, method: str, path: str, **how: Any) -> Any:
    from outrider.api import Client

    return Client(url).ask(method, path, **how)


@app.command()
def create(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Whom or what it is for.", show_default=False)
    ],
    role: Annotated[Role, typer.Option("--role", "-r", help="What it may do.")] = Role.write,
    projects: Annotated[
        Optional[list[str]],  # noqa: UP045 - read at run time
        typer.Option("--project", "-p", help="Only this project; repeat.", show_default="all"),
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make a token. It is printed once and kept nowhere: copy it now."""
    wanted = {"name": name, "role": role.value, "projects": projects or None}
    made = _ask(url, "POST", "/api/tokens", json=wanted)
    if as_json:
        print_json(made)
        return
    console(stderr=True).print(f"[green]{plain(name)}[/] may {role.value}; shown this once:")
    typer.echo(made["token"])


@app.command("list")
def list_tokens(url: Url = None, as_json: Json = False) -> None:
    """List the tokens and browser sessions; never their secrets."""
    found = _ask(url, "GET", "/api/tokens")["tokens"]
    if as_json:
        print_json(found)
        return
    columns = ("id", "name", "kind", "role", "projects", "created", "last used")
    rows = table(*columns, wrap=["name", "projects"])
    for item in found:
        rows.add_row(
            plain(item["id"]),
            f"[bold]{plain(item['name'])}[/]",
            plain(item["kind"]),
            plain(item["role"]),
            "all" if item["projects"] is None else plain(", ".join(item["projects"])),
            ago(item["created"]),
            ago(item["last_used"]),
        )
    console().print(rows)


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="From outrider tokens list.")],
    url: Url = None,
) -> None:
    """Revoke a token and the browser sessions that came from it, at once."""
    _ask(url, "DELETE", f"/api/tokens/{quote(token, safe='')}")
    say(f"{plain(token)} is revoked")
