"""An Outrider plugin: a probe that reads a file and a sink that writes TensorBoard event files."""
