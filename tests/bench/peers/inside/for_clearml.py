"""ClearML, in its offline mode, or against the address of a server of one's own."""

import os

clearml = task = logger = None


def load():
    """Import it."""
    global clearml
    import clearml


def init(url=None):
    """Start a run; a server of one's own gets made-up credentials."""
    global task, logger
    if url:
        hosts = {"api_host": url, "web_host": url, "files_host": url}
        clearml.Task.set_credentials(**hosts, key="a" * 20, secret="b" * 40)
    else:
        clearml.Task.set_offline(True)
    task = clearml.Task.init(project_name="bench", task_name="bench")
    logger = task.get_logger()


def log(values, step):
    """One record: a call for each of its values, as there is none for all of them."""
    for name, value in values.items():
        title, _, series = name.partition("/")
        logger.report_scalar(title, series, value, step)


def finish():
    """End the run."""
    task.close()


def read():
    """Offline it leaves JSON lines, which only a server imports: so they are read here."""
    import glob

    found = []
    for path in glob.glob(f"{os.environ['HOME']}/.clearml/cache/offline/*/metrics.jsonl"):
        with open(path) as file:
            for line in file:
                for event in _events(line):
                    if event.get("variant") == "counted":
                        found.append(event["value"])
    return found


def _events(line):
    import json

    try:
        found = json.loads(line)
    except ValueError:
        return []
    return found if isinstance(found, list) else [found]
