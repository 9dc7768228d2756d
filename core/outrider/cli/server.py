"""``outrider server``: stores runs and shows them."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from outrider.cli.exits import Exit
from outrider.cli.options import SERVER, command
from outrider.errors import OutriderError

app = command(SERVER, Exit.FAILED)


@app.command()
def server(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)
    ] = 7878,
    data: Annotated[
        Optional[str],  # noqa: UP045 - read at run time
        typer.Option(help="The folder for everything.", show_default="in your data folder"),
    ] = None,
    store: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="The database: sqlite:///PATH.", show_default="in the data folder"),
    ] = None,
    files: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="The folder for files.", show_default="in the data folder"),
    ] = None,
    open_link: Annotated[bool, typer.Option("--open", help="Open the page.")] = False,
    names: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--allow-host", help="A further name people reach it by; repeat."),
    ] = None,
    public_url: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="The page's URL behind a proxy.", show_default="http://HOST:PORT"),
    ] = None,
    webhook: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Post alerts to this URL, kept until changed; off: nowhere."),
    ] = None,
) -> None:
    """Run the server, until Ctrl-C. It prints a link that logs your browser in."""
    try:
        from outrider_server.main import serve
    except ImportError as error:
        raise OutriderError(
            f"the server's parts are not installed ({error})",
            hint="pip install 'outrider[server]'",
        ) from error
    code = serve(
        host,
        port,
        data,
        store,
        files,
        open_link,
        hosts=tuple(names or ()),
        public_url=public_url,
        webhook=webhook,
    )
    raise typer.Exit(code)
