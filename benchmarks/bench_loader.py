"""Batches from shards against batches from a folder of PNG files, on the same images.

    python benchmarks/bench_loader.py [--side 128] [--images 4000] [--batch 32] [--workers 0 2]

The folder is read in the usual way, by PyTorch's DataLoader and a map-style Dataset that decodes
one file per item. Both loaders produce the same float tensors, which is checked. The files are in
the page cache, so the work per batch is compared and not the disk.
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tinygan.data.prefetch import prefetch
from tinygan.data.shards import open_store, write_shard
from tinygan.models.pixels import normalize
from tinygan.training.data import BatchSource, ShardDataset, to_batch


class PngFolder(Dataset):
    """The usual dataset: one PNG file per item, decoded on access."""

    def __init__(self, files: list[Path], labels: np.ndarray) -> None:
        self.files, self.labels = files, labels

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = torch.from_numpy(np.array(Image.open(self.files[index])))
        return image.permute(2, 0, 1).float().div(127.5).sub(1), int(self.labels[index])


def smooth_images(count: int, side: int) -> np.ndarray:
    """Draw images that compress about like photographs: noise enlarged eightfold, with some grain.

    Returns:
        uint8 [count, side, side, 3].
    """
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, side // 8, side // 8, 3), dtype=np.uint8)
    images = [
        np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))
        for image in coarse
    ]
    grain = rng.integers(-6, 7, (count, side, side, 3))
    return np.clip(np.stack(images) + grain, 0, 255).astype(np.uint8)


def rate(batches: Iterator[object], batch: int, count: int) -> float:
    """Return images per second over `count` batches, after one batch to warm up."""
    next(batches)
    started = time.perf_counter()
    for _ in islice(batches, count):
        pass
    return count * batch / (time.perf_counter() - started)


def endless(loader: DataLoader) -> Iterator[object]:
    while True:
        yield from loader


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=128, help="image size in px (default: 128)")
    parser.add_argument("--images", type=int, default=4000, help="images in all (default: 4000)")
    parser.add_argument("--batch", type=int, default=32, help="images per batch (default: 32)")
    parser.add_argument("--batches", type=int, default=100, help="batches to time (default: 100)")
    parser.add_argument(
        "--workers", type=int, nargs="*", default=[0, 2], help="of the DataLoader (default: 0 2)"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    batch, count = arguments.batch, arguments.batches
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = smooth_images(arguments.images, arguments.side)
        labels = np.sort(np.random.default_rng(1).integers(0, 10, len(images)))
        write_shard(folder / "shard", images, labels, source="benchmark", provenance={})
        files = [folder / f"{i}.png" for i in range(len(images))]
        for file, image in zip(files, images, strict=True):
            Image.fromarray(image).save(file)
        dataset = PngFolder(files, labels)
        assert torch.equal(dataset[7][0], normalize(images[7:8])[0])

        size = sum(file.stat().st_size for file in files) / len(files) / 1000
        print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}")
        print(
            f"{len(images)} images of {arguments.side} px, {size:.1f} kB per PNG, batch {batch}\n"
        )
        print("| loader | images/s | ms per batch |")
        print("| :-- | --: | --: |")
        rates = {}
        for workers in arguments.workers:
            loader = DataLoader(dataset, batch, shuffle=True, drop_last=True, num_workers=workers)
            rates[f"folder of PNGs, {workers} workers"] = rate(endless(loader), batch, count)
        real = ShardDataset(open_store([folder / "shard"]))
        source = BatchSource(None, real, seed=0, batch=batch, z_dim=128, truncation=0.5)
        cpu, steps = torch.device("cpu"), range(1, count + 2)
        plain = (to_batch(source.gather(step), cpu) for step in steps)
        rates["shards, without prefetching"] = rate(plain, batch, count)
        prefetched = (to_batch(arrays, cpu) for arrays in prefetch(source.gather, steps))
        rates["shards, prefetched"] = rate(prefetched, batch, count)
        for loader, images_per_second in rates.items():
            ms = 1000 * batch / images_per_second
            print(f"| {loader} | {images_per_second:,.0f} | {ms:.2f} |")


if __name__ == "__main__":
    main()
