"""A probe: reads one number from a file, such as a sensor of the kernel or a meter's last value."""

import os


class FileProbe:
    """Reads the file that ``EXAMPLE_PROBE_FILE`` names, every time the machine is sampled."""

    name = "example file"

    def __init__(self) -> None:
        self.path = os.environ["EXAMPLE_PROBE_FILE"]

    def read(self) -> dict[str, float]:
        """The file's number; what it raises is said in the streamer's log."""
        with open(self.path, encoding="ascii") as file:
            return {"example/value": float(file.read())}

    def facts(self) -> dict[str, str]:
        """What does not change while the run lives."""
        return {"example.file": self.path}
