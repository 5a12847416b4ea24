"""The user's own images, in one folder per class."""

from tinygan.data.dataset import Dataset

DATASET = Dataset()
