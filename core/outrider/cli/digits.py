"""What the demo trains: small networks that learn to read scikit-learn's handwritten digits."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from outrider.errors import OutriderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HIDDEN = 48
BATCH = 64
MOMENTUM = 0.9


@dataclass(frozen=True, slots=True)
class Trial:
    """One training to compare with others."""

    learning_rate: float
    seed: int
    hidden: int = HIDDEN
    batch: int = BATCH
    momentum: float = MOMENTUM

    @property
    def name(self) -> str:
        """A name that says what is special about it."""
        return f"lr {self.learning_rate:g}, seed {self.seed}"

    def config(self) -> dict[str, Any]:
        """What a run of it is described by."""
        return {**asdict(self), "model": "one hidden layer", "data": "scikit-learn digits"}


TRIALS = tuple(Trial(rate, seed) for rate in (0.3, 0.05, 0.005) for seed in (1, 2))


@dataclass(frozen=True, slots=True)
class Data:
    """Images as rows of 64 brightnesses from 0 to 1, and the digit that each shows."""

    images: Any
    digits: Any
    other_images: Any
    other_digits: Any


def load_data() -> Data:
    """1,797 handwritten digits of 8 × 8 pixels (UCI, shipped with scikit-learn); a quarter of
    them is kept for validation."""
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise OutriderError(
            f"the demo needs scikit-learn, which is not installed ({error})",
            hint="pip install 'outrider[demo]'",
        ) from error
    images, digits = load_digits(return_X_y=True)
    parts = train_test_split(images / 16.0, digits, test_size=0.25, random_state=0, stratify=digits)
    return Data(parts[0], parts[2], parts[1], parts[3])


class Network:
    """A layer of rectified units and a softmax, trained by gradient descent with momentum."""

    def __init__(self, trial: Trial) -> None:
        import numpy as np

        self.trial = trial
        self.random = np.random.default_rng(trial.seed)
        shapes = [(64, trial.hidden), (trial.hidden,), (trial.hidden, 10), (10,)]
        self.weights = [
            self.random.normal(0.0, (2.0 / shape[0]) ** 0.5, shape)
            if len(shape) == 2
            else np.zeros(shape)
            for shape in shapes
        ]
        self.speeds = [np.zeros(shape) for shape in shapes]

    def step(self, images: Any, digits: Any) -> dict[str, float]:
        """Learn from one batch; returns its loss, its accuracy and the length of the gradient."""
        import numpy as np

        first, first_bias, second, second_bias = self.weights
        hidden = np.maximum(images @ first + first_bias, 0.0)
        chances = _softmax(hidden @ second + second_bias)
        loss, accuracy = _score(chances, digits)
        error = chances
        error[np.arange(len(digits)), digits] -= 1.0
        error /= len(digits)
        back = (error @ second.T) * (hidden > 0)
        gradient = [images.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
        for place, slope in enumerate(gradient):
            speed = self.trial.momentum * self.speeds[place] - self.trial.learning_rate * slope
            self.speeds[place] = speed
            self.weights[place] = self.weights[place] + speed
        length = sum(float((slope**2).sum()) for slope in gradient) ** 0.5
        return {"train/loss": loss, "train/accuracy": accuracy, "train/grad_norm": length}

    def validate(self, images: Any, digits: Any) -> dict[str, float]:
        """The loss and the accuracy on images that were not learned from."""
        import numpy as np

        first, first_bias, second, second_bias = self.weights
        hidden = np.maximum(images @ first + first_bias, 0.0)
        loss, accuracy = _score(_softmax(hidden @ second + second_bias), digits)
        return {"val/loss": loss, "val/accuracy": accuracy}


def _softmax(values: Any) -> Any:
    import numpy as np

    powers = np.exp(values - values.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def _score(chances: Any, digits: Any) -> tuple[float, float]:
    import numpy as np

    right = chances[np.arange(len(digits)), digits]
    return float(-np.log(right + 1e-12).mean()), float((chances.argmax(1) == digits).mean())


def train(
    trial: Trial, data: Data, epochs: int, log: Callable[[dict[str, float]], None]
) -> Iterator[None]:
    """Train; logs every step and yields after it, so that several trainings can take turns."""
    network = Network(trial)
    batches = batches_of(trial, data)
    for epoch in range(1, epochs + 1):
        order = network.random.permutation(len(data.digits))
        seconds = 0.0
        for number in range(1, batches + 1):
            batch = order[(number - 1) * trial.batch : number * trial.batch]
            began = time.perf_counter()
            row = network.step(data.images[batch], data.digits[batch])
            seconds += time.perf_counter() - began
            if number == batches:
                row |= network.validate(data.other_images, data.other_digits)
                row["train/images_per_second"] = batches * trial.batch / seconds
                row["epoch"] = epoch
            log(row)
            yield


def batches_of(trial: Trial, data: Data) -> int:
    """How many whole batches an epoch has; the few images that are left wait for the next one."""
    return len(data.digits) // trial.batch
