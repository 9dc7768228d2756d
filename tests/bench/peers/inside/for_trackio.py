"""trackio: its local store, an SQLite file, or a dashboard of one's own to which it sends."""

trackio = None


def load():
    """Import it."""
    global trackio
    import trackio


def init(url=None):
    """Start a run."""
    more = {"server_url": url} if url else {}
    trackio.init(project="bench", name="bench", **more)


def log(values, step):
    """One record."""
    trackio.log(values, step=step)


def finish():
    """End the run."""
    trackio.finish()


def read():
    """By its own store."""
    from trackio.sqlite_storage import SQLiteStorage

    found = []
    for run in SQLiteStorage.get_runs("bench"):
        rows = SQLiteStorage.get_logs("bench", run)
        found += [row["train/counted"] for row in rows if "train/counted" in row]
    return found
