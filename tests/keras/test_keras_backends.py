"""The same promises on another backend, in a process of its own: Keras has one for life."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


VALUES = HERE / "test_keras_values.py"
CONTRACT = HERE / "test_keras_contract.py"
TESTS = (
    f"{VALUES}::test_the_history_of_a_real_training_is_recorded_exactly",
    f"{VALUES}::test_the_training_is_not_changed[3]",
    f"{VALUES}::test_batches_are_logged_against_their_own_axis",
    f"{VALUES}::test_every_so_many_batches[3-2-wanted4]",
    f"{VALUES}::test_a_rate_that_is_reduced_is_told_as_it_was_in_the_epoch[True]",
    f"{VALUES}::test_a_schedule_object_is_told_as_it_stands_after_the_epoch",
    f"{VALUES}::test_the_models_configuration_is_recorded",
    f"{CONTRACT}::test_batches_from_a_thread_pool_are_all_kept",
    f"{CONTRACT}::test_the_model_is_released",
)


@pytest.mark.timeout(600)  # another interpreter with another framework: half a minute, or much more
@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
def test_values_are_right_on_another_backend(backend: str) -> None:
    """What backends do differently: state that is not attached, groups of batches, threads."""
    if os.environ["KERAS_BACKEND"] == backend or find_spec(backend) is None:
        pytest.skip(f"{backend} is not here, or is what these tests run on anyway")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-x", *TESTS],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=ROOT, capture_output=True, text=True, timeout=580, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
