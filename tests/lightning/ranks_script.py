"""A training of two processes, run by the tests: NAMESPACE STRATEGY DEED."""

import importlib
import os
import signal
import sys
import warnings

NAMESPACE, STRATEGY, DEED = sys.argv[1:4]
warnings.simplefilter("ignore")
pl = importlib.import_module(NAMESPACE)
boring = importlib.import_module(f"{NAMESPACE}.demos.boring_classes")


class Model(boring.BoringModel):
    def __init__(self):
        super().__init__()
        self.save_hyperparameters({"width": 3})

    def training_step(self, batch, index):
        answer = super().training_step(batch, index)
        self.log("loss", answer["loss"])
        self.log("mean/loss", answer["loss"], sync_dist=True)
        self.logger.experiment.config.update({"from": "a rank"})
        if index == 2 and DEED == "crash":
            raise ArithmeticError("out of luck")
        if index == 2 and DEED == "kill" and self.global_rank == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


if __name__ == "__main__":
    from outrider_lightning import OutriderLogger

    logger = OutriderLogger(project="ranks", save_dir="out")
    csv = importlib.import_module(f"{NAMESPACE}.loggers").CSVLogger("csv", version="one")
    print("version", logger.version, flush=True)
    trainer = pl.Trainer(
        logger=[logger, csv], strategy=STRATEGY, devices=2, accelerator="cpu", max_epochs=1,
        limit_train_batches=4, limit_val_batches=0, log_every_n_steps=1,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Model())
    if DEED == "later":
        logger.log_metrics({"after": 1.0}, 99)
