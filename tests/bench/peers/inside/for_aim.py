"""Aim: a local repository, or a remote tracking server of one's own."""

import os

aim = run = None


def load():
    """Import it."""
    global aim
    import aim


def init(url=None):
    """Start a run."""
    global run
    if not url and not os.path.isdir(".aim"):
        aim.Repo.from_path(os.getcwd(), init=True)
    run = aim.Run(repo=url or os.getcwd(), experiment="bench")


def log(values, step):
    """One record."""
    run.track(values, step=step)


def finish():
    """End the run."""
    run.close()


def read():
    """By its own reader, after `aim storage reindex`: without it a run that was killed is not there."""
    import subprocess
    import sys

    command = [
        os.path.join(os.path.dirname(sys.executable), "aim"),
        "storage",
        "--repo",
        ".",
        "reindex",
        "-y",
    ]
    subprocess.run(command, capture_output=True, check=True)
    found = []
    for one in aim.Repo.from_path(os.getcwd()).iter_runs():
        for metric in one.metrics():
            if metric.name == "train/counted":
                found += list(metric.values.values_list())
    return found
