"""wandb, offline (its own word for: no server) or with the address of a server of one's own."""

import os

wandb = run = None


def load():
    """Import it."""
    global wandb
    import wandb


def init(url=None):
    """Start a run; console and code capture stay as they are, as for Outrider."""
    global run
    if url:
        os.environ |= {"WANDB_BASE_URL": url, "WANDB_API_KEY": "a" * 40}
    run = wandb.init(project="bench", mode="online" if url else "offline")


def log(values, step):
    """One record. A step of one's own must grow, which it does here."""
    run.log(values, step=step)


def finish():
    """End the run."""
    run.finish()


def read():
    """Wandb has no reader of offline runs but `wandb sync`, which wants a server: so its transaction log
    (LevelDB's log format) is read here, and each record by wandb's own protocol buffers."""
    import glob
    import json

    from wandb.proto.wandb_internal_pb2 import Record

    found = []
    for path in glob.glob("wandb/*run-*/run-*.wandb"):
        with open(path, "rb") as file:
            for body in _records(file.read()):
                record = Record.FromString(body)
                for item in record.history.item:
                    if item.key == "train/counted" or list(item.nested_key) == ["train/counted"]:
                        found.append(json.loads(item.value_json))
    return found


def _records(data):
    """Whole records of a LevelDB log: blocks of 32 KiB, each piece with checksum, length and kind."""
    block, at, parts = 32768, 7, []
    while at + 7 <= len(data):
        if block - at % block < 7:
            at += block - at % block
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        body = data[at + 7 : at + 7 + length]
        if len(body) < length or kind == 0:
            return
        parts = [*parts, body] if kind in (3, 4) else [body]
        if kind in (1, 4):
            yield b"".join(parts)
        at += 7 + length
