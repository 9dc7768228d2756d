"""``outrider plugins``: what is plugged in, what each is for, and what is wrong with it."""

from __future__ import annotations

from typing import Any

from outrider.cli.options import SETUP, Json, command
from outrider.cli.screen import console, plain, print_json, say, table

app = command(SETUP)

RECENT = 20
"""So many of this folder's newest runs are asked what plugins have failed at in their streamers."""


@app.command()
def plugins(as_json: Json = False) -> None:
    """List the plugins, their hooks and what went wrong in them, here and in this folder's last runs."""
    listed = known()
    if as_json:
        print_json(listed)
        return
    rows = table("plugin", "version", "from", "hooks", "for", "", wrap=["hooks", "for", ""])
    for item in listed:
        adapter = item["adapter"] or {}
        what_for = " ".join(
            str(adapter[key]) for key in ("framework", "version") if adapter.get(key)
        )
        if adapter.get("step"):
            what_for += f" (a step: {adapter['step']})"
        rows.add_row(
            plain(item["name"]),
            plain(item["version"] or ""),
            plain(item["origin"]),
            plain(", ".join(item["hooks"])),
            plain(what_for),
            "\n".join(_wrong(item)),
        )
    console().print(rows)
    say("[dim]a distribution adds one by an entry point in the group[/] outrider")


def known() -> list[dict[str, Any]]:
    """Every plugin as ``outrider.plugins.listing()`` tells it, with what it says that it is for, and
    ``runs``: what it failed at in the streamers of recent runs, by run."""
    from outrider import plugins as loaded
    from outrider.cli.finding import local_runs
    from outrider.streamer.blame import failures_in

    adapters = dict(loaded.call_each("adapter"))
    listed = {item["name"]: item for item in loaded.listing()}
    for name, item in listed.items():
        item["adapter"] = adapters.get(name)
        item["runs"] = {}
    for run in local_runs()[-RECENT:]:
        for name, told in failures_in(run.folder.path).items():
            if name in listed and isinstance(told, dict):
                listed[name]["runs"][run.path] = told
    return list(listed.values())


def _wrong(item: dict[str, Any]) -> list[str]:
    found = []
    if not item["enabled"]:
        found.append(f"[red]left out[/] {plain(item['problem'] or '')}")
    elif item["failures"]:
        found.append(f"[yellow]{item['failures']} failures[/] {plain(item['problem'] or '')}")
    for run, told in item["runs"].items():
        found.append(
            f"[yellow]{plain(told.get('failures'))} failures in {plain(run)}[/] {plain(told.get('problem'))}"
        )
    return found
