"""A training in wandb's documented style: init with a config, log every step, finish."""

import random

import outrider as wandb

wandb.init(
    project="my-awesome-project",
    config={"learning_rate": 0.02, "architecture": "CNN", "dataset": "CIFAR-100", "epochs": 10},
)
epochs = wandb.config.epochs
offset = random.Random(1).random() / 5
for epoch in range(2, epochs):
    acc = 1 - 2**-epoch - offset / epoch
    loss = 2**-epoch + offset / epoch
    wandb.log({"acc": acc, "loss": loss})
wandb.finish()
