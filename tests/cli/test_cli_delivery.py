"""How far a folder is delivered: what a death cut short is no record that waits."""

from __future__ import annotations

import os
from pathlib import Path

from outrider.cli.delivery import delivery_of
from outrider.folder import make_run_folder, write_meta
from outrider.ids import host_label
from outrider.journal.reader import RunFolder
from outrider.journal.writer import JournalWriter


def test_a_torn_tail_does_not_wait_for_delivery(tmp_path: Path) -> None:
    path, _ = make_run_folder(str(tmp_path / ".outrider"), "torn", shared_id=False)
    write_meta(path, {"format": 1, "id": "torn", "project": "p"})
    writer = JournalWriter(path, "torn", writer="main", primary=True)
    writer.append({"s": 0, "p": {"x": 1}})
    whole = os.stat(writer.path()).st_size
    with open(writer.path(), "ab") as file:
        file.write(b'{"t":1,"s":1,"p":{"x":' + b"9" * 100_000)
    folder = RunFolder(path)
    assert delivery_of(folder).behind == whole
    told = f'{{"t":1,"acked":{{"main":{{"1":{whole}}}}}}}'
    (Path(path) / f"delivery-{host_label()}.json").write_text(told)
    assert delivery_of(folder).is_whole
    with open(writer.path(), "ab") as file:
        file.write(b"}}\n")
    assert delivery_of(folder).behind == os.stat(writer.path()).st_size - whole
