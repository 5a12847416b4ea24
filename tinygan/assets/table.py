"""The external weights of the paper's protocol, as data.

The addresses are those of their publishers and of public code that uses them. None could be reached
when this was written.
"""

from dataclasses import dataclass
from typing import Literal

_GITHUB = "https://github.com/terarachang/ACCV_TinyGAN"
_COMMIT = "837191ff3de9e0c00f43d80e4a46e041af0b6dcd"
_DRIVE = "https://drive.google.com/drive/folders/1m04Db3HbN10Tz5XHqiPpIg8kw23fkbSi"
_DRIVE_ID = "1TDGXDM4s_xJdHCDzXt18aqODpbWKk8qe"


@dataclass(frozen=True)
class Asset:
    """A published file of weights.

    Attributes:
        what: what it is.
        config: the setting that uses it.
        kind: file; module: the archive of a TF-Hub module, unpacked to a folder; or model: weights
            that a subcommand imports into the folder of the downloaded file.
        path: where it goes, relative to the cache folder: the file, or the module's folder.
        addresses: tried in this order.
        size: of the download.
        by_hand: where a browser finds it.
        sha256: of the download, where it is published.
        git_blob: its id in a git repository, a SHA-1 over its size and bytes.
        importer: of a model, the subcommand.
    """

    what: str
    config: str
    kind: Literal["file", "module", "model"]
    path: str
    addresses: tuple[str, ...]
    size: str
    by_hand: str
    sha256: str | None = None
    git_blob: str | None = None
    importer: str | None = None


# A teacher has one entry per kind, named NAME-KIND: `teacher.handle: asset:NAME` takes the one of
# `teacher.kind`.
ASSETS = {
    "biggan-deep-128-tfhub": Asset(
        what="the paper's teacher, BigGAN-deep at 128 px, as a TF-Hub module",
        config="teacher: {kind: tfhub, handle: asset:biggan-deep-128}",
        kind="module",
        path="biggan-deep-128-tfhub",
        addresses=("https://tfhub.dev/deepmind/biggan-deep-128/1?tf-hub-format=compressed",),
        size="about 200 MB",
        by_hand="open https://tfhub.dev/deepmind/biggan-deep-128/1 in a browser, which leads to "
        "the model's page on Kaggle (deepmind/biggan), and download version 1 there",
    ),
    "biggan-deep-128-torch": Asset(
        what="the paper's teacher, BigGAN-deep at 128 px, as a PyTorch file",
        config="teacher: {kind: torch, handle: asset:biggan-deep-128}",
        kind="file",
        path="biggan-deep-128-pytorch_model.bin",
        addresses=(
            "https://huggingface.co/osanseviero/BigGAN-deep-128/resolve/main/pytorch_model.bin",
            "https://s3.amazonaws.com/models.huggingface.co/biggan/biggan-deep-128-pytorch_model.bin",
        ),
        size="211 MB",
        by_hand="download pytorch_model.bin from https://huggingface.co/osanseviero/BigGAN-deep-128",
        sha256="b86146a8cfcde4cda135adba4b2806f78b3abe2dac9d0fd090cc3ab318604ad9",
    ),
    "inception-graph": Asset(
        what="the Inception graph of published scores",
        config="metrics: {extractor: inception_torch, inception_graph: asset:inception-graph}",
        kind="file",
        path="frozen_inception_v1_2015_12_05.tar.gz",
        addresses=("http://download.tensorflow.org/models/frozen_inception_v1_2015_12_05.tar.gz",),
        size="about 180 MB",
        by_hand="get frozen_inception_v1_2015_12_05.tar.gz from a machine that has it (TF-GAN and "
        "many GAN codes download it)",
    ),
    "dinov2-vitl14": Asset(
        what="DINOv2 ViT-L/14, a feature extractor",
        config="metrics: {extractor: dinov2_vitl14}",
        kind="file",
        path="dinov2_vitl14_pretrain.pth",
        addresses=(
            "https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth",
        ),
        size="1.2 GB",
        by_hand="download dinov2_vitl14_pretrain.pth (ViT-L/14 distilled, without registers, "
        "backbone only) from the table in https://github.com/facebookresearch/dinov2",
        sha256="d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
    ),
    "inception-pytorch-fid": Asset(
        what="the Inception network of published scores, ported to PyTorch by pytorch-fid",
        config="metrics: {extractor: inception_pytorch_fid}",
        kind="file",
        path="pt_inception-2015-12-05-6726825d.pth",
        addresses=(
            "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
            "pt_inception-2015-12-05-6726825d.pth",
        ),
        size="96 MB",
        by_hand="download pt_inception-2015-12-05-6726825d.pth from the release fid_weights of "
        "https://github.com/mseitzer/pytorch-fid",
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    ),
    "tinygan-authors": Asset(
        what="the TinyGAN authors' checkpoint, imported as a model",
        config="sources: {authors: asset:tinygan-authors}",
        kind="model",
        path="tinygan-authors/model_30.tar",
        addresses=(f"{_GITHUB}/raw/{_COMMIT}/gan/models/model_30.tar",),
        size="73 MB",
        by_hand=f"download gan/models/model_30.tar from {_GITHUB}",
        git_blob="30070615d5e5747a0e745672103849ff39b3c772",
        importer="import-tinygan",
    ),
    "sngan-projection": Asset(
        what="SNGAN-projection at 128 px, imported as a model",
        config="sources: {sngan: asset:sngan-projection}",
        kind="model",
        path="sngan-projection/ResNetGenerator_850000.npz",
        addresses=(
            f"https://drive.google.com/uc?export=download&id={_DRIVE_ID}",
            f"https://drive.usercontent.google.com/download?id={_DRIVE_ID}&export=download&confirm=t",
        ),
        size="about 160 MB",
        by_hand=f"open {_DRIVE} in a browser and download ResNetGenerator_850000.npz",
        importer="import-sngan",
    ),
}
