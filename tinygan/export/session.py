"""Run an exported generator with ONNX Runtime, in place of the PyTorch network."""

import json
from pathlib import Path

import onnxruntime
import torch
from torch import Tensor, nn

_READ = ("classes", "z_dim", "truncation")


class OnnxGenerator(nn.Module):
    """An exported generator, (z, y) -> images, called as `tinygan.models.io.load_generator`'s.

    Args:
        model: the file, or its bytes.
        threads: CPU threads.

    Attributes:
        metadata: what the file says of itself, see docs/reference/formats.md.
        classes: the names of its classes, in the order of its labels.
        z_dim: length of z.
        truncation: the scale of z that the model was trained with; None for a standard normal z.
        half_range: see `tinygan.models.pixels.to_uint8`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a file of `tinygan export`.
    """

    def __init__(self, model: Path | bytes, *, threads: int = 1) -> None:
        super().__init__()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3  # errors
        content = model if isinstance(model, bytes) else Path(model).read_bytes()
        what = "the model" if isinstance(model, bytes) else model
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
            self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)
            read = {name: json.loads(self.metadata[name]) for name in _READ}
        # ONNX Runtime raises a class of its own for each of its errors.
        except Exception as error:
            raise ValueError(f"{what} is not a file of `tinygan export` ({error})") from error
        self.classes, self.z_dim, self.truncation = read.values()
        self.half_range = json.loads(self.metadata.get("half_range", "128"))
        # Its rows are the weights of single classes; it also tells callers the device.
        self.one_hot = nn.Embedding.from_pretrained(torch.eye(len(self.classes)))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Map z [N, z_dim] and class indices y [N] to images [N, 3, side, side] in [-1, 1]."""
        return self.mix(z, self.one_hot(y))

    def mix(self, z: Tensor, weights: Tensor) -> Tensor:
        """Map z [N, z_dim] and weights of the classes [N, classes] to images, as `forward` does."""
        (images,) = self._session.run(["images"], {"z": z.numpy(), "y": weights.numpy()})
        return torch.from_numpy(images)
