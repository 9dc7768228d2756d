"""A script in wandb's documented style that logs more than numbers."""

import numpy as np

import outrider as wandb

run = wandb.init(project="media", config={"classes": 3})
random = np.random.default_rng(1)
table = wandb.Table(columns=["id", "image", "guess", "truth"])
for at in range(3):
    picture = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    table.add_data(at, wandb.Image(picture), "cat", "dog")
for step in range(4):
    wandb.log(
        {
            "loss": 1 / (step + 1),
            "examples": [
                wandb.Image(
                    random.random((16, 16)),
                    caption=f"step {step}",
                    masks={"predictions": {"mask_data": np.eye(16), "class_labels": {1: "line"}}},
                    boxes={
                        "predictions": {
                            "box_data": [
                                {
                                    "position": {"minX": 1, "maxX": 5, "minY": 1, "maxY": 5},
                                    "class_id": 1,
                                    "box_caption": "a box",
                                    "domain": "pixel",
                                    "scores": {"sure": 0.5},
                                }
                            ],
                            "class_labels": {1: "box"},
                        }
                    },
                )
            ],
            "weights": wandb.Histogram(random.normal(size=1000)),
            "counted": wandb.Histogram(np_histogram=np.histogram([1, 2, 3], bins=3)),
        }
    )
wandb.log({"table": table, "page": wandb.Html("<p>done</p>")})
wandb.log({"sound": wandb.Audio(np.sin(np.arange(100)), sample_rate=100, caption="a tone")})
wandb.log({"film": wandb.Video(random.integers(0, 255, (4, 3, 8, 8), dtype=np.uint8), fps=4)})
run.finish()
