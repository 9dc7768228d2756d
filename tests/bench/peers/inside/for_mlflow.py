"""MLflow, synchronous: its default store, an SQLite file, or a server of one's own over HTTP."""

import os

mlflow = None


def load():
    """Import it."""
    global mlflow
    import mlflow


def init(url=None):
    """Start a run."""
    mlflow.set_tracking_uri(url or f"sqlite:///{os.getcwd()}/mlflow.db")
    mlflow.set_experiment("bench")
    mlflow.start_run()


def log(values, step):
    """One record: one request for all of its metrics."""
    mlflow.log_metrics(values, step=step)


def finish():
    """End the run."""
    mlflow.end_run()


def read():
    """By its client, from the file."""
    client = mlflow.MlflowClient(f"sqlite:///{os.getcwd()}/mlflow.db")
    found = []
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id]):
            found += [
                metric.value
                for metric in client.get_metric_history(run.info.run_id, "train/counted")
            ]
    return found
