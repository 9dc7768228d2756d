"""``outrider alerts RUN``: what a run's script, and the server's rules, called attention to."""

from __future__ import annotations

from outrider.cli.exits import Exit
from outrider.cli.options import RUNS, Json, RunName, Url, command
from outrider.cli.screen import ago, console, plain, print_json, say, table

app = command(RUNS, Exit.NOT_FOUND, Exit.UNREACHABLE, Exit.UNAUTHORIZED)

_STYLES = {"info": "cyan", "warn": "yellow", "error": "red"}


@app.command()
def alerts(run: RunName, url: Url = None, as_json: Json = False) -> None:
    """List a run's alerts. A local folder knows those of its script, a server its rules' too."""
    from outrider.cli.finding import find_run

    found = find_run(run, url=url).alerts()
    if as_json:
        print_json([alert._asdict() for alert in found])
        return
    if not found:
        say("no alerts", stderr=True)
        return
    rows = table("when", "level", "from", "alert", wrap=["alert"])
    for alert in found:
        text = f"[bold]{plain(alert.title)}[/]" + (f": {plain(alert.text)}" if alert.text else "")
        level = f"[{_STYLES.get(alert.level, 'default')}]{plain(alert.level)}[/]"
        rows.add_row(ago(alert.time), level, alert.source, text)
    console().print(rows)
