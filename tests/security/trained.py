"""A training script that keeps one of everything; its argument, if any, is the umask it runs with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import outrider
from outrider import core

if len(sys.argv) > 1:
    os.umask(int(sys.argv[1], 8))
core.init(project="modes", config={"lr": 0.1}, tags=["a"])
print("something printed")
Path("kept.txt").write_text("kept")
for step in range(20):
    core.log({"loss": 1.0 / (step + 1)})
core.log({"note": outrider.Html("<p>page</p>"), "table": outrider.Table(["a"], [[1]])})
core.save("kept.txt")
core.summary["best"] = 1
core.alert("title", "text")
core.finish()
