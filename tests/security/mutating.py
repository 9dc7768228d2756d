"""Makes hostile variants of journals and of requests; the same seed makes the same ones again."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence

SHORT, LONG = 4_000, 100_000
COUNT = int(os.environ.get("OUTRIDER_TEST_ATTACKS", SHORT))
"""How many variants of each kind are tried."""

SEED = int(os.environ.get("OUTRIDER_TEST_SEED", 20260101))

WORDS = [
    b"null", b"true", b"NaN", b"-Infinity", b'"NaN"', b'"Infinity"', b"1e999", b"-1e999", b"-0",
    b"0.1e-400", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809",
    b"1" * 400, b'""', b"[]", b"{}", b"[[[[[[[[", b'{"t":', b'{"t":1.0,"k":', b'"k":"file",',
    b'"k":"end",', b'"k":"head",', b'"k":"config",', b'"k":"media",', b'"k":"console",',
    b'"k":"attempt",', b'"k":"alert",', b'"p":[1],', b'"s":"1",', b'"s":-1,', b'"a":2,', b"\\ud800",
    b"\\u0000", b"\x00", b"\xff\xfe", b"\xc0\xae", b"\n", b"\r\n", b"\t", b",", b'"', b"\\", b"}", b"../",
    b"%2e%2e%2f", b"%00", b"'", b"--", b"; DROP TABLE runs;", b"<script>", b"${x}", b"{{x}}",
    b"__proto__", b"/etc/passwd", b"-1", b"99999999999999999999", b"*", b"(a+)+$", b"((((((((", b"/x/",
]  # fmt: skip

Mutation = Callable[[random.Random, bytes], bytes]


def _flip(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def _cut(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randint(1, 40) :]


def _double(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    end = at + chance.randint(1, 60)
    return data[:end] + data[at:end] * chance.choice((1, 1, 2, 30)) + data[end:]


def _insert(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(WORDS) + data[at:]


def _replace(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.choice(WORDS) + data[at + chance.randint(1, 12) :]


def _noise(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.randint(1, 24)) + data[at:]


MUTATIONS: Sequence[Mutation] = (_flip, _cut, _double, _insert, _replace, _noise)


def mutated(chance: random.Random, data: bytes, most: int = 4) -> bytes:
    """A variant of some bytes, some changes away."""
    for _ in range(chance.randint(1, most)):
        if data:
            data = chance.choice(MUTATIONS)(chance, data)
    return data


JOURNAL: tuple[bytes, ...] = (
    (
        b'{"t":1763860000.0,"k":"head","v":1,"run":"r","w":"w","n":1,"a":1,"host":"h","pid":7,'
        b'"role":"trainer","primary":true}'
    ),
    b'{"t":1763860000.1,"k":"config","c":{"lr":0.1,"model":{"depth":3,"name":"x"}}}',
    b'{"t":1763860001.0,"s":0,"p":{"loss":0.5,"acc":0.1}}',
    b'{"t":1763860002.0,"s":1,"p":{"loss":"NaN","acc":true,"n":9007199254740993}}',
    b'{"t":1763860002.5,"k":"metric","name":"val/*","summary":"min","goal":"minimize","step":"s"}',
    b'{"t":1763860003.0,"k":"sys","d":30.0,"p":{"system/cpu":12.5,"system/ram":3}}',
    b'{"t":1763860003.1,"k":"console","s":"out","x":"epoch 1\\n"}',
    b'{"t":1763860003.2,"k":"alert","title":"a","text":"b","level":"info"}',
    b'{"t":1763860003.3,"k":"file","path":"a/b.txt","sha256":"' + b"ab" * 32 + b'","size":3,'
    b'"type":"text/plain","role":"save","state":"ok"}',
    b'{"t":1763860003.4,"k":"media","s":2,"key":"image","type":"image","parts":[{"spool":"x"}]}',
    b'{"t":1763860003.5,"k":"summary","c":{"best":0.5}}',
    b'{"t":1763860003.6,"k":"run","name":"new","tags":["a"],"notes":"n"}',
    b'{"t":1763860003.7,"k":"attempt","a":2,"rewind":1}',
    b'{"t":1763860004.0,"s":2,"p":{"loss":0.25,"acc":-1e-9}}',
    b'{"t":1763860004.1,"k":"gap","n":3,"why":"disk full"}',
    b'{"t":1763860005.0,"k":"end","w":"w","a":1,"state":"finished","code":0}',
)


def journals(count: int, seed: int = SEED) -> list[tuple[bytes, list[bytes]]]:
    """Segments in which some lines were changed, each with the lines that were not, in order."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        lines = list(JOURNAL)
        spoilt = set(chance.sample(range(len(lines)), chance.randint(1, 4)))
        parts = []
        for at, line in enumerate(lines):
            if at in spoilt:
                # A change that ends in the middle of a word may not swallow the line behind it.
                parts.append(mutated(chance, line) + b"\n")
            else:
                parts.append(line + b"\n")
        kept = [line for at, line in enumerate(lines) if at not in spoilt]
        tail = chance.choice((b"", b"", lines[2][: chance.randrange(40)], b"\0" * 64))
        found.append((b"".join(parts) + tail, kept))
    return found
