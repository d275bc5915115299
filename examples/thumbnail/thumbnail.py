"""Makes a thumbnail: reads an image file, turns it, frames it, and writes a PNG to standard output.

Usage: thumbnail.py FILE WIDTH
"""

import io
import sys

from PIL import Image, ImageFilter, ImageOps

PIXELS_MAX = 4_000_000


def thumbnail(path: str, width: int) -> bytes:
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    with Image.open(path) as image:
        picture = ImageOps.exif_transpose(image).convert("RGB")
        picture.thumbnail((width, width), Image.Resampling.LANCZOS)
        picture = picture.filter(ImageFilter.UnsharpMask(radius=1, percent=80))
        framed = ImageOps.expand(picture, border=2, fill=(24, 24, 32))
    buffer = io.BytesIO()
    framed.save(buffer, format="PNG", optimize=True)
    print(f"{path}: {image.width}x{image.height} -> {framed.width}x{framed.height}", file=sys.stderr)
    return buffer.getvalue()


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: thumbnail.py FILE WIDTH", file=sys.stderr)
        return 2
    sys.stdout.buffer.write(thumbnail(sys.argv[1], int(sys.argv[2])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
