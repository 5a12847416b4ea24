"""Draw zebras and giraffes with the shipped model: `python examples/quickstart.py`."""

from pathlib import Path

from tinygan import load_generator
from tinygan.generation.pictures import enlarge, grid, write_png

generator = load_generator("mini-dw")  # or the folder of your own, such as results/mini/models/dw
print(f"{generator.name} draws: {', '.join(generator.classes)}")
images = generator.sample(classes=["zebra", "giraffe"], n=8, seed=0)  # uint8 [16, 32, 32, 3]
write_png(Path("quickstart.png"), grid(enlarge(images, 2), columns=8))
print("wrote quickstart.png: a row of zebras and a row of giraffes")
