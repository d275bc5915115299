import sys
from pathlib import Path

from PIL import Image

for name in sys.argv[1:]:
    path = Path(name)
    with Image.open(path) as image:
        image.thumbnail((128, 128))
        image.save(path.with_suffix(".thumbnail.png"))
