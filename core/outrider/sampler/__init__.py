"""The sampler: reads the machine, the training's processes and its GPUs while a run lives.

It runs inside the streamer, never in the training process. `loop` takes the samples, `window`
averages them, the other modules are the built-in probes; docs/system-metrics.md lists every name.
"""
