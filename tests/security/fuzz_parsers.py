"""Coverage-guided attacks on everything that reads bytes of others: ``python fuzz_parsers.py -runs=N``."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["outrider", "outrider_server"]):
    from mutating import JOURNAL

    from outrider.errors import OutriderError
    from outrider.ids import check_project, check_run_id
    from outrider.journal.record import Damaged, decode, lines
    from outrider.journal.segment import parse_segment_name
    from outrider.reading.files import safe_path
    from outrider.reading.fold import Fold
    from outrider_server.bodies import Unpacker
    from outrider_server.expressions import parse as parse_expression
    from outrider_server.filters import parse as parse_filter
    from outrider_server.guard import Hosts
    from outrider_server.ingest import read_batch
    from outrider_server.problems import Problem
    from outrider_server.webhook import check_url

HOSTS = Hosts("127.0.0.1", ["tracker.example"])
UNPACKER = Unpacker(1 << 20, 8 << 20)


def read(data: bytes) -> None:
    """As a journal, by both readers, which must agree on what is damaged."""
    fold = Fold()
    damaged = 0
    for line in lines(data):
        try:
            fold.absorb("w", decode(line))
        except Damaged as damage:
            damaged += 1
            fold.absorb("w", damage)
    whole = data[: data.rfind(b"\n") + 1]
    if whole:
        found = sum(len(stretch.damaged) for stretch in read_batch(whole))
        assert found == damaged, (found, damaged)


def name(data: bytes) -> None:
    """As every name that a client may send."""
    text = data.decode("utf-8", "surrogateescape")
    parse_segment_name(text)
    assert ".." not in safe_path(text).split("/")
    HOSTS.allow(data)
    for check in (check_run_id, check_project, check_url, parse_filter, parse_expression):
        try:
            check(text)
        except OutriderError:
            continue


def unpack(data: bytes) -> None:
    """As a compressed body."""
    try:
        UNPACKER.unpack_zstd(data, 1000)
    except Problem:
        return


def one(data: bytes) -> None:
    """The first byte says as what the rest is taken."""
    (read, read, name, unpack)[data[0] % 4 if data else 0](data[1:])


def main() -> None:
    """Begin with sound records, in a corpus that is made anew."""
    if "-runs=0" not in sys.argv:
        for line in JOURNAL:
            one(b"\0" + line + b"\n")
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


main()
