"""Trains a network that reads handwritten digits with Keras: python keras_digits.py.

Keras trains on the backend that KERAS_BACKEND names: torch, jax or tensorflow.
"""

from sklearn.datasets import load_digits

import keras
from outrider_keras import OutriderCallback, OutriderCheckpoint

keras.utils.set_random_seed(0)
images, digits = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8, 1).astype("float32") / 16

model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

outrider = OutriderCallback(project="digits", tags=["keras"], log_freq="batch")
model.fit(
    images,
    digits,
    batch_size=64,
    epochs=8,
    validation_split=0.2,
    verbose=2,
    callbacks=[
        outrider,
        OutriderCheckpoint(
            "best.keras", run=outrider, monitor="val_accuracy", mode="max", save_best_only=True
        ),
    ],
)
outrider.finish()
