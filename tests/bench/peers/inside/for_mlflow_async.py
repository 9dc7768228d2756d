"""MLflow, asynchronous: the same store, records handed to its own queue and threads."""

import for_mlflow
from for_mlflow import init, load, read

__all__ = ["finish", "init", "load", "log", "read"]


def log(values, step):
    """One record, into the queue."""
    for_mlflow.mlflow.log_metrics(values, step=step, synchronous=False)


def finish():
    """Wait for the queue, end the run."""
    for_mlflow.mlflow.flush_async_logging()
    for_mlflow.mlflow.end_run()
