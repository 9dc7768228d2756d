"""DVCLive: tab-separated files, one a metric."""

dvclive = live = None


def load():
    """Import it."""
    global dvclive
    import dvclive


def init(url=None):
    """Start a run, without Git's and DVC's part of it."""
    global live
    live = dvclive.Live("dvclive", save_dvc_exp=False, report=None, dvcyaml=None)


def log(values, step):
    """One record: a call for each of its values, then the next step, which it counts itself."""
    for name, value in values.items():
        live.log_metric(name, value)
    live.next_step()


def finish():
    """End the run."""
    live.end()


def read():
    """Its files are made to be read by anything."""
    import csv
    import os

    path = "dvclive/plots/metrics/train/counted.tsv"
    if not os.path.exists(path):
        return []
    with open(path, newline="") as file:
        return [float(row["counted"]) for row in csv.DictReader(file, delimiter="\t")]
