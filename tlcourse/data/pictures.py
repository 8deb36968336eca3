"""One photograph from any file that Pillow reads: upright, in RGB, and what was done to it in words."""

import contextlib
import os
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# What photographs come as. Nothing else is opened: PostScript would start another program.
FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF", "HEIF")
ENDINGS = {
    ".jpg",
    ".jpeg",
    ".jfif",
    ".png",
    ".gif",
    ".webp",
    ".bmp",
    ".tif",
    ".tiff",
    ".ppm",
    ".jp2",
}
ENDINGS |= {".avif", ".heic", ".heif"}
# Files of cameras look like a TIFF that holds a small preview.
RAW = {".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"}
NO_PICTURE = {"imagenotfound"}  # what web sites send where a photograph is gone
GREY = {"I", "I;16", "I;16L", "I;16B", "I;16N", "F"}  # modes with more than 8 bits a pixel
CLEAR = {"RGBA", "LA", "PA", "RGBa", "La"}
MOST = 4 * 10**8  # pixels; a picture of more does not fit into memory


@cache
def formats() -> tuple[str, ...]:
    """Return which of `FORMATS` Pillow reads here; HEIF only with the package pillow-heif."""
    with contextlib.suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def why_not(path, error: Exception | None = None) -> str:
    """Return in words why a file was left out, and what to do.

    Parameters
    ----------
    path : str or Path
    error : Exception, optional
        What opening it raised.
    """
    ending = Path(path).suffix.lower()
    if ending in RAW:
        return "raw file of a camera: export it as jpg"
    if isinstance(error, PermissionError):
        return "may not be read: change its permissions"
    if isinstance(error, Image.DecompressionBombError | MemoryError):
        return "too large to open: save it smaller"
    if ending in (".heic", ".heif") and "HEIF" not in formats():
        return "Pillow cannot read HEIC here: pip install pillow-heif, or export it as jpg"
    if ending == ".avif" and "AVIF" not in formats():
        return "this Pillow cannot read AVIF: update it, or export the picture as jpg"
    if isinstance(error, UnidentifiedImageError) and ending not in ENDINGS:
        return "no photograph"
    return "damaged: delete it or copy it again"


def is_photograph(path) -> str | None:
    """Return None if the file begins like a photograph, else `why_not`."""
    if Path(path).suffix.lower() in RAW:
        return why_not(path)
    if Path(path).stem.lower() in NO_PICTURE:
        return "no photograph"
    try:
        with _opened(path):
            return None
    except Exception as error:  # noqa: BLE001 - whatever Pillow says of bytes that are no picture
        return why_not(path, error)


class Unusable(ValueError):
    """A file that is no photograph, or cannot be read: a sentence, and the reason alone."""

    def __init__(self, path, reason: str):
        name = os.fsencode(Path(path).name).decode(errors="replace")
        super().__init__(f"the photograph {name} cannot be used ({reason}).")
        self.reason = reason


def open_photograph(path, side: int | None = None) -> tuple[Image.Image, tuple[str, ...]]:
    """Return a photograph upright and in RGB, and what was converted.

    Of a moving picture the first is taken, transparent parts become white, and 16 bits keep their
    greys.

    Parameters
    ----------
    path : str or Path
    side : int, optional
        Large photographs may be reduced, by a whole number, as long as each side keeps that many
        pixels. A large JPEG is read many times faster then.

    Returns
    -------
    PIL.Image.Image
        Of mode RGB.
    tuple of str
        Such as ``("turned upright",)``.

    Raises
    ------
    Unusable
        If it cannot be read; a kind of ValueError.
    """
    try:
        with _opened(path) as picture:
            notes = []
            if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":
                notes.append("several pictures in a file, the first taken")
            if side:
                picture.draft(None, (side, side))
            upright = ImageOps.exif_transpose(picture)
            if picture.getexif().get(0x0112, 1) not in (0, 1):
                notes.append("turned upright as the camera noted")
            rgb, done = _rgb(upright)
    except Exception as error:  # whatever Pillow says of a file that is no picture
        raise Unusable(path, why_not(path, error)) from error
    times = min(rgb.size) // side if side else 1
    return (rgb.reduce(times) if times > 1 else rgb), tuple(notes + done)


def about(path) -> dict[str, str]:
    """Return what a photograph's file says beside the picture: its kind, size in pixels and camera."""
    with _opened(path) as picture:
        size = f"{picture.width} × {picture.height}"
        camera = str(picture.getexif().get(0x0110, "")).strip("\x00 ")
        return {"kind of file": picture.format, "size": size, "camera": camera}


@contextlib.contextmanager
def _opened(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata, large pictures: both are dealt with
        with Image.open(path, formats=formats()) as picture:
            if picture.width * picture.height > MOST:
                raise Image.DecompressionBombError(f"{picture.width} × {picture.height} pixels")
            yield picture


def _rgb(picture: Image.Image) -> tuple[Image.Image, list[str]]:
    """Return a picture in RGB, and what that took."""
    if picture.mode in GREY:
        return _with_its_greys(picture), ["16 bit grey made 8 bit, with all its greys"]
    if picture.mode in CLEAR or "transparency" in picture.info:
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture.convert("RGBA"))
        return white.convert("RGB"), ["transparent parts made white"]
    notes = {"CMYK": ["CMYK made RGB"], "P": ["palette made RGB"], "L": ["grey made RGB"]}
    return picture.convert("RGB"), notes.get(picture.mode, [])


def _with_its_greys(picture: Image.Image) -> Image.Image:
    """Divide by the range of 8, 10, 12 … bits that holds the picture; Pillow would cut it at 255."""
    values = np.nan_to_num(np.asarray(picture, dtype=np.float64))
    low, high = min(values.min(), 0), values.max()
    if picture.mode == "F":  # no range is agreed on
        low, most = values.min(), max(high - values.min(), 1e-12)
    else:
        bits = max(8, int(high - low).bit_length())
        most = 2 ** (bits + bits % 2) - 1
    shades = np.rint(255 * (values - low) / most).clip(0, 255)
    return Image.fromarray(shades.astype(np.uint8)).convert("RGB")
