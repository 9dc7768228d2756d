"""``outrider plugins``: what is plugged in, and what is wrong with it."""

from __future__ import annotations

from outrider.cli.options import SETUP, Json, command
from outrider.cli.screen import console, plain, print_json, say, table

app = command(SETUP)


@app.command()
def plugins(as_json: Json = False) -> None:
    """List the plugins, their hooks and what went wrong in them."""
    from outrider import plugins as known

    listed = known.listing()
    if as_json:
        print_json(listed)
        return
    rows = table("plugin", "version", "from", "hooks", "", wrap=["hooks", ""])
    for item in listed:
        problem = item.get("problem") or ""
        if item["enabled"]:
            condition = f"[yellow]{item['failures']} failures[/]" if item["failures"] else ""
        else:
            condition = "[red]left out[/]"
        rows.add_row(
            plain(item["name"]),
            plain(item["version"] or ""),
            plain(item["origin"]),
            plain(", ".join(item["hooks"])),
            f"{condition} {plain(problem)}".strip(),
        )
    console().print(rows)
    say("[dim]a distribution adds one by an entry point in the group[/] outrider")
