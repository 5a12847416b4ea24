"""Images of one's own, in one folder per class."""

from tinygan.data.dataset import Dataset

DATASET = Dataset()
