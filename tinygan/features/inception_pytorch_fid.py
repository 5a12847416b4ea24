"""The Inception v3 of pytorch-fid: the network of published FIDs, ported to PyTorch.

The layers are named like the keys of the published file. It differs from torchvision's network in
its pooling: averages leave the padding out, and the last block takes maxima.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tinygan.features.batches import run_in_chunks
from tinygan.features.extractor import Extractor
from tinygan.features.weights import load_asset
from tinygan.runtime import configure_torch, device_of

NAME, ASSET = "inception_pytorch_fid", "inception-pytorch-fid"
SIDE = 299
RESIZE = f"torch bilinear (align_corners=False, antialias=False) to {SIDE} px, of x / 255"
CHUNK = {"cpu": 10, "cuda": 100}


class Conv(nn.Module):
    """Convolution without bias, batch norm, ReLU; the padding keeps the size unless `valid`."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int] = 1,
        stride: int = 1,
        *,
        valid: bool = False,
    ):
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (0, 0) if valid else (height // 2, width // 2)
        self.conv = nn.Conv2d(inputs, outputs, (height, width), stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, outputs, H', W']."""
        return F.relu(self.bn(self.conv(x)))


def average(x: Tensor) -> Tensor:
    """Average over 3x3 pixels, of which those outside the image are left out."""
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def halve(x: Tensor) -> Tensor:
    """Take the maximum of 3x3 pixels, at every second one."""
    return F.max_pool2d(x, 3, 2)


class BlockA(nn.Module):
    """Mixed_5b to 5d."""

    def __init__(self, inputs: int, pooled: int):
        super().__init__()
        self.branch1x1 = Conv(inputs, 64)
        self.branch5x5_1, self.branch5x5_2 = Conv(inputs, 48), Conv(48, 64, 5)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Conv(inputs, 64), Conv(64, 96, 3)
        self.branch3x3dbl_3 = Conv(96, 96, 3)
        self.branch_pool = Conv(inputs, pooled)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, 224 + pooled, H, W]."""
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, three, self.branch_pool(average(x))], 1)


class BlockB(nn.Module):
    """Mixed_6a: halves the size."""

    def __init__(self, inputs: int):
        super().__init__()
        self.branch3x3 = Conv(inputs, 384, 3, 2, valid=True)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Conv(inputs, 64), Conv(64, 96, 3)
        self.branch3x3dbl_3 = Conv(96, 96, 3, 2, valid=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, 480 + inputs, H', W']."""
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), three, halve(x)], 1)


class BlockC(nn.Module):
    """Mixed_6b to 6e: kernels of 7x7 as rows and columns."""

    def __init__(self, inputs: int, narrow: int):
        super().__init__()
        row, column = (1, 7), (7, 1)
        self.branch1x1 = Conv(inputs, 192)
        self.branch7x7_1, self.branch7x7_2 = Conv(inputs, narrow), Conv(narrow, narrow, row)
        self.branch7x7_3 = Conv(narrow, 192, column)
        self.branch7x7dbl_1 = Conv(inputs, narrow)
        self.branch7x7dbl_2 = Conv(narrow, narrow, column)
        self.branch7x7dbl_3 = Conv(narrow, narrow, row)
        self.branch7x7dbl_4 = Conv(narrow, narrow, column)
        self.branch7x7dbl_5 = Conv(narrow, 192, row)
        self.branch_pool = Conv(inputs, 192)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, 768, H, W]."""
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(average(x))], 1)


class BlockD(nn.Module):
    """Mixed_7a: halves the size."""

    def __init__(self, inputs: int):
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = Conv(inputs, 192), Conv(192, 320, 3, 2, valid=True)
        self.branch7x7x3_1, self.branch7x7x3_2 = Conv(inputs, 192), Conv(192, 192, (1, 7))
        self.branch7x7x3_3 = Conv(192, 192, (7, 1))
        self.branch7x7x3_4 = Conv(192, 192, 3, 2, valid=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, 512 + inputs, H', W']."""
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return torch.cat([three, self.branch7x7x3_4(seven), halve(x)], 1)


class BlockE(nn.Module):
    """Mixed_7b and 7c, which pool by the mean and, unlike any other Inception, by the maximum."""

    def __init__(self, inputs: int, *, maxima: bool):
        super().__init__()
        self.maxima, row, column = maxima, (1, 3), (3, 1)
        self.branch1x1 = Conv(inputs, 320)
        self.branch3x3_1 = Conv(inputs, 384)
        self.branch3x3_2a, self.branch3x3_2b = Conv(384, 384, row), Conv(384, 384, column)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Conv(inputs, 448), Conv(448, 384, 3)
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = Conv(384, 384, row), Conv(384, 384, column)
        self.branch_pool = Conv(inputs, 192)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, 2048, H, W]."""
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = F.max_pool2d(x, 3, 1, 1) if self.maxima else average(x)
        branches = [self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three)]
        branches += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return torch.cat([*branches, self.branch_pool(pooled)], 1)


class Inception(nn.Module):
    """The network, up to the mean over the last feature map."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Conv(3, 32, 3, 2, valid=True)
        self.Conv2d_2a_3x3, self.Conv2d_2b_3x3 = Conv(32, 32, 3, valid=True), Conv(32, 64, 3)
        self.Conv2d_3b_1x1, self.Conv2d_4a_3x3 = Conv(64, 80), Conv(80, 192, 3, valid=True)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = (
            BlockA(192, 32),
            BlockA(256, 64),
            BlockA(288, 64),
        )
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b, self.Mixed_6c = BlockC(768, 128), BlockC(768, 160)
        self.Mixed_6d, self.Mixed_6e = BlockC(768, 160), BlockC(768, 192)
        self.Mixed_7a = BlockD(768)
        self.Mixed_7b, self.Mixed_7c = BlockE(1280, maxima=False), BlockE(2048, maxima=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map images [N, 3, 299, 299] in [-1, 1] to features [N, 2048]."""
        x = halve(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        x = halve(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        return self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))).mean((2, 3))


def open_inception(threads: int, device: str = "cpu") -> Extractor:
    """Open the extractor; see `tinygan.features.extractor.Extractor`.

    Args:
        threads: CPU threads of PyTorch, set for the whole process.
        device: see `tinygan.runtime.device_of`.

    Raises:
        FileNotFoundError, ValueError: see `load_asset`.
    """
    configure_torch(threads)
    model, digest = load_asset(Inception, ASSET, unused=("fc.weight", "fc.bias"))
    place = device_of(device)
    model.to(place)

    def network(x: Tensor) -> tuple[Tensor, Tensor]:
        resized = F.interpolate(x / 255, (SIDE, SIDE), mode="bilinear", align_corners=False)
        features = model(2 * resized - 1)
        # pytorch-fid has no Inception score.
        return features, features[:, :0]

    return Extractor(NAME, digest, SIDE, RESIZE, run_in_chunks(network, CHUNK[place.type], place))
