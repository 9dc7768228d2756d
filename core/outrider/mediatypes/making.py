"""Makes the files that people open of what the trainer wrote raw. Runs in the streamer."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO

from outrider.mediatypes import png
from outrider.mediatypes.base import MediaError
from outrider.mediatypes.encoders import ffmpeg

_CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4}
_ENCODE_SECONDS = 3600.0


def make(source: str, target: str, part: Mapping[str, Any]) -> None:
    """Make the file that ``part`` asks for of the one that was written raw.

    Raises ``MediaError`` or ``ValueError`` for what cannot be made, and ``OSError``.
    """
    wanted, encoding = part.get("as"), part.get("encoding")
    if encoding == "raw" and wanted == "png":
        with open(source, "rb") as raw, open(target, "wb") as file:
            width, height = int(part["width"]), int(part["height"])
            png.write_raw(file, raw.read(), width, height, _CHANNELS[str(part["mode"])])
        return
    if encoding != "npy":
        raise MediaError(f"no way from {encoding!r} to {wanted!r} is known")
    import numpy as np

    array = np.load(source, mmap_mode="r", allow_pickle=False)
    if wanted == "wav":
        _sound(target, array, int(part["rate"]))
    elif "frames" in part:
        _film(target, array, str(wanted), float(part["fps"]))
    elif wanted == "png":
        with open(target, "wb") as file:
            png.write(file, pixels(array, part.get("normalize") is not False))
    else:
        raise MediaError(f"no way from an array to {wanted!r} is known")


def pixels(array: Any, normalize: bool = True) -> Any:
    """An array of numbers as uint8 or uint16.

    These two stay as they are. With ``normalize`` a range that goes below zero is moved and
    stretched to 0 … 1, and one that does not go beyond 1 is taken as parts of 255 (both as wandb
    does). What is not finite becomes 0.
    """
    import numpy as np

    if array.dtype in (np.uint8, np.dtype(">u2"), np.dtype("<u2")):
        return array
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * (255 if normalize else 1)
    values = np.nan_to_num(array.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    if normalize and values.size:
        low, high = values.min(), values.max()
        if low < 0:
            values = (values - low) / ((high - low) or 1.0)
            high = 1.0
        if high <= 1:
            values = values * 255
    return values.clip(0, 255).astype(np.uint8)


def _sound(target: str, array: Any, rate: int) -> None:
    """A WAV of whole numbers: floats become 16 bits, and whole numbers stay as fine as they are."""
    import numpy as np

    if array.dtype.kind == "f":
        finite = np.nan_to_num(array.astype(np.float64), nan=0.0, posinf=1.0, neginf=-1.0)
        array = (finite.clip(-1, 1) * 32767).round().astype("<i2")
    elif array.dtype.kind == "b" or array.dtype.itemsize == 8:
        array = array.clip(-(1 << 31), (1 << 31) - 1).astype("<i4")
    elif array.dtype == np.int8:
        array = (array.astype(np.int16) + 128).astype(np.uint8)
    elif array.dtype == np.uint16:
        array = (array.astype(np.int32) - 32768).astype("<i2")
    elif array.dtype == np.uint32:
        array = (array.astype(np.int64) - (1 << 31)).astype("<i4")
    else:
        array = array.astype(array.dtype.newbyteorder("<"))
    with wave.open(target, "wb") as file:
        file.setnchannels(1 if array.ndim == 1 else array.shape[1])
        file.setsampwidth(array.dtype.itemsize)
        file.setframerate(rate)
        file.writeframes(array.tobytes())


def _film(target: str, array: Any, wanted: str, fps: float) -> None:
    program = ffmpeg() if wanted in ("mp4", "webm") else None
    if program is not None:
        _by_ffmpeg(program, target, array, wanted, fps)
    elif wanted in ("gif", "webp"):
        _by_pillow(target, array, wanted, fps)
    elif wanted == "png":
        with open(target, "wb") as file:
            png.write_animated(file, _frames(array), len(array), fps)
    else:
        raise MediaError(f"there is no encoder for {wanted}: install ffmpeg")


def _frames(array: Any) -> Iterator[Any]:
    """Frames as uint8, one at a time, all on the scale of the whole."""
    import numpy as np

    if array.dtype == np.uint8:
        scaled = array
    else:
        scaled = pixels(array)
        if scaled.dtype != np.uint8:
            scaled = (scaled >> 8).astype(np.uint8)
    for frame in scaled:
        yield frame[:, :, 0] if frame.ndim == 3 and frame.shape[2] == 1 else frame


def _by_pillow(target: str, array: Any, wanted: str, fps: float) -> None:
    try:
        from PIL import Image
    except ImportError:
        raise MediaError(f"{wanted} needs pillow: pip install pillow") from None
    pictures = (Image.fromarray(frame) for frame in _frames(array))
    first = next(pictures)
    duration = max(1, round(1000 / fps))
    first.save(
        target,
        format=wanted.upper(),
        save_all=True,
        append_images=islice(pictures, len(array)),
        duration=duration,
        loop=0,
    )


def _by_ffmpeg(program: str, target: str, array: Any, wanted: str, fps: float) -> None:
    height, width, channels = array.shape[1:4]
    layout = {1: "gray", 3: "rgb24", 4: "rgba"}[channels]
    codec = ["-c:v", "libx264"] if wanted == "mp4" else ["-c:v", "libvpx-vp9"]
    command = [
        program, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", layout,
        "-s", f"{width}x{height}", "-r", f"{fps:g}", "-i", "-", *codec,
        "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-threads", "1",
        "-f", wanted, target,
    ]  # fmt: skip
    running = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        _feed(running.stdin, array)
        said = running.communicate(timeout=_ENCODE_SECONDS)[1]
    except (BrokenPipeError, ValueError):
        said = running.communicate()[1]
    finally:
        running.kill()
        running.wait()
    if running.returncode != 0:
        raise MediaError(f"ffmpeg: {said.decode('utf-8', 'replace').strip()[-500:]}")


def _feed(pipe: BinaryIO | Any, array: Any) -> None:
    for frame in _frames(array):
        pipe.write(frame.tobytes())
