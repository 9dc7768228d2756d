"""Trains a network that reads handwritten digits with Lightning: python lightning_digits.py."""

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from sklearn.datasets import load_digits
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset, random_split

from outrider_lightning import OutriderLogger


class Digits(LightningModule):
    """64 pixels in, 10 digits out."""

    def __init__(self, width: int = 32, rate: float = 0.003) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = torch.nn.Sequential(
            torch.nn.Linear(64, width), torch.nn.ReLU(), torch.nn.Linear(width, 10)
        )

    def training_step(self, batch, index):  # noqa: D102
        images, digits = batch
        loss = functional.cross_entropy(self.net(images), digits)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch, index):  # noqa: D102
        images, digits = batch
        scores = self.net(images)
        self.log("val/loss", functional.cross_entropy(scores, digits))
        self.log("val/accuracy", (scores.argmax(1) == digits).float().mean())

    def configure_optimizers(self):  # noqa: D102
        return torch.optim.Adam(self.parameters(), lr=self.hparams.rate)


def main() -> None:
    seed_everything(0)
    images, digits = load_digits(return_X_y=True)
    data = TensorDataset(torch.tensor(images / 16).float(), torch.tensor(digits))
    train, val = random_split(data, [0.8, 0.2])

    trainer = Trainer(
        logger=OutriderLogger(project="digits", tags=["lightning"], log_model=True),
        max_epochs=8,
        log_every_n_steps=1,
        accelerator="cpu",
    )
    trainer.fit(Digits(), DataLoader(train, batch_size=64, shuffle=True), DataLoader(val, 64))
    print(f"accuracy {trainer.callback_metrics['val/accuracy']:.1%}")


if __name__ == "__main__":
    main()
