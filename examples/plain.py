"""Trains a network that reads handwritten digits, and records how it learns."""

from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from outrider import core

core.init(project="digits", config={"learning_rate": 0.003, "epochs": 20, "batch": 64})
core.define_metric("val/accuracy", summary="max")
config = core.config

images, digits = load_digits(return_X_y=True)
images, val_images, digits, val_digits = train_test_split(images / 16, digits, random_state=0)
model = MLPClassifier((32,), learning_rate_init=config.learning_rate, random_state=0)

for epoch in range(config.epochs):
    for start in range(0, len(images), config.batch):
        batch = slice(start, start + config.batch)
        model.partial_fit(images[batch], digits[batch], classes=range(10))
        core.log({"train/loss": model.loss_, "epoch": epoch})

    loss = log_loss(val_digits, model.predict_proba(val_images))
    accuracy = model.score(val_images, val_digits)
    core.log({"val/loss": loss, "val/accuracy": accuracy, "epoch": epoch})
    print(f"epoch {epoch + 1}: accuracy {accuracy:.1%}")

core.finish()
