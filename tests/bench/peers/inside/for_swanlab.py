"""SwanLab, in its offline mode."""

swanlab = None


def load():
    """Import it."""
    global swanlab
    import swanlab


def init(url=None):
    """Start a run."""
    if url:
        import os

        os.environ |= {
            "SWANLAB_API_HOST": url,
            "SWANLAB_WEB_HOST": url,
            "SWANLAB_API_KEY": "a" * 20,
        }
    swanlab.init(project="bench", mode="cloud" if url else "offline")


def log(values, step):
    """One record."""
    swanlab.log(values, step=step)


def finish():
    """End the run."""
    swanlab.finish()


def read():
    """By the reader that its `swanlab sync` has."""
    import glob

    from swanlab.proto.swanlab.record.v1.record_pb2 import Record
    from swanlab.sdk.internal.core_python.store import DataStoreReader

    found = []
    for path in glob.glob("swanlog/run-*/*.swanlab"):
        reader = DataStoreReader()
        reader.open(path)
        for body in reader:
            record = Record.FromString(body)
            if record.scalar.key == "train/counted":
                found.append(record.scalar.value.number)
    return found
