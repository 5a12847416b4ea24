"""The forward passes of the published generators, in plain tensor operations on their own names."""

import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.published_weights import LAYERS, UPS


def normalise(x: Tensor, mean: Tensor, var: Tensor, eps: float) -> Tensor:
    return (x - mean[:, None, None]) / torch.sqrt(var[:, None, None] + eps)


def twice(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def tinygan_reference(w: dict[str, Tensor], z: Tensor, y: Tensor) -> Tensor:
    def cbn(x: Tensor, name: str) -> Tensor:
        affine = F.linear(w["embeding.weight"][y], w[f"{name}.embed.weight"])
        affine = (affine + w[f"{name}.embed.bias"])[:, :, None, None]
        half = affine.shape[1] // 2
        mean, var = w[f"{name}.bn.running_mean"], w[f"{name}.bn.running_var"]
        return affine[:, :half] * normalise(x, mean, var, 1e-5) + affine[:, half:]

    def conv(x: Tensor, block: str, k: int) -> Tensor:
        if f"{block}.conv{k}.weight" in w:
            weight = w[f"{block}.conv{k}.weight"]
            return F.conv2d(x, weight, w[f"{block}.conv{k}.bias"], padding=1)
        weight, bias = w[f"{block}.dw_conv{k}.weight"], w[f"{block}.dw_conv{k}.bias"]
        x = F.conv2d(x, weight, bias, padding=1, groups=x.shape[1])
        return F.conv2d(x, w[f"{block}.pw_conv{k}.weight"], w[f"{block}.pw_conv{k}.bias"])

    def up(x: Tensor) -> Tensor:
        side = 2 * x.shape[2]
        return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)

    h = F.linear(z, w["fc.weight"], w["fc.bias"]).reshape(len(z), -1, 4, 4)
    for i in range(3):
        b = f"blocks.{i}"
        r = conv(up(F.relu(cbn(h, f"{b}.cbn0"))), b, 1)
        r = conv(F.relu(cbn(r, f"{b}.cbn1")), b, 2)
        h = r + F.conv2d(up(h), w[f"{b}.c_sc.weight"], w[f"{b}.c_sc.bias"])
    h = normalise(h, w["bn.running_mean"], w["bn.running_var"], 1e-5)
    h = h * w["bn.weight"][:, None, None] + w["bn.bias"][:, None, None]
    return torch.tanh(F.conv2d(F.relu(h), w["colorize.weight"], w["colorize.bias"], padding=1))


def sngan_reference(w: dict[str, Tensor], z: Tensor, y: Tensor) -> Tensor:
    def cbn(x: Tensor, name: str) -> Tensor:
        x = normalise(x, w[f"{name}/avg_mean"], w[f"{name}/avg_var"], 2e-5)
        gain, bias = w[f"{name}/gammas/W"][y], w[f"{name}/betas/W"][y]
        return gain[:, :, None, None] * x + bias[:, :, None, None]

    h = (z @ w["l1/W"].T + w["l1/b"]).reshape(len(z), -1, 4, 4)
    for i in (2, 3, 4):
        b = f"block{i}"
        r = twice(F.relu(cbn(h, f"{b}/b1")))
        r = F.relu(cbn(F.conv2d(r, w[f"{b}/c1/W"], w[f"{b}/c1/b"], padding=1), f"{b}/b2"))
        r = F.conv2d(r, w[f"{b}/c2/W"], w[f"{b}/c2/b"], padding=1)
        h = r + F.conv2d(twice(h), w[f"{b}/c_sc/W"], w[f"{b}/c_sc/b"])
    h = normalise(h, w["b5/avg_mean"], w["b5/avg_var"], 2e-5)
    h = h * w["b5/gamma"][:, None, None] + w["b5/beta"][:, None, None]
    return torch.tanh(F.conv2d(F.relu(h), w["l5/W"], w["l5/b"], padding=1))


def biggan_reference(w: dict[str, Tensor], z: Tensor, y: Tensor, row: int) -> Tensor:
    def weight(name: str) -> Tensor:
        stored = w[f"{name}.weight_orig"]
        u, v = w[f"{name}.weight_u"], w[f"{name}.weight_v"]
        return stored / torch.dot(u, torch.mv(stored.reshape(len(stored), -1), v))

    def standard(x: Tensor, name: str) -> Tensor:
        return normalise(x, w[f"{name}.running_means"][row], w[f"{name}.running_vars"][row], 1e-4)

    def cbn(x: Tensor, name: str) -> Tensor:
        gain = 1 + condition @ weight(f"{name}.scale").T
        bias = condition @ weight(f"{name}.offset").T
        return standard(x, name) * gain[:, :, None, None] + bias[:, :, None, None]

    def conv(x: Tensor, name: str, padding: int = 0) -> Tensor:
        return F.conv2d(x, weight(name), w.get(f"{name}.bias"), padding=padding)

    def attention(x: Tensor, name: str) -> Tensor:
        n, c, side, _ = x.shape
        theta = conv(x, f"{name}.snconv1x1_theta").reshape(n, c // 8, -1)
        phi = F.max_pool2d(conv(x, f"{name}.snconv1x1_phi"), 2).reshape(n, c // 8, -1)
        g = F.max_pool2d(conv(x, f"{name}.snconv1x1_g"), 2).reshape(n, c // 2, -1)
        map_ = torch.softmax(torch.einsum("nci,ncj->nij", theta, phi), dim=2)
        out = torch.einsum("ncj,nij->nci", g, map_).reshape(n, c // 2, side, side)
        return x + w[f"{name}.gamma"] * conv(out, f"{name}.snconv1x1_o_conv")

    one_hot = F.one_hot(y, w["embeddings.weight"].shape[1]).float()
    condition = torch.cat([z, one_hot @ w["embeddings.weight"].T], dim=1)
    h = condition @ weight("generator.gen_z").T + w["generator.gen_z.bias"]
    h = h.reshape(len(z), 4, 4, -1).permute(0, 3, 1, 2)
    for i, factors in enumerate(LAYERS):
        layer = f"generator.layers.{i}"
        if factors is None:
            h = attention(h, layer)
            continue
        r = conv(F.relu(cbn(h, f"{layer}.bn_0")), f"{layer}.conv_0")
        r = F.relu(cbn(r, f"{layer}.bn_1"))
        r = conv(twice(r) if i in UPS else r, f"{layer}.conv_1", padding=1)
        r = conv(F.relu(cbn(r, f"{layer}.bn_2")), f"{layer}.conv_2", padding=1)
        r = conv(F.relu(cbn(r, f"{layer}.bn_3")), f"{layer}.conv_3")
        skip = h[:, : r.shape[1]]
        h = r + (twice(skip) if i in UPS else skip)
    h = standard(h, "generator.bn")
    h = h * w["generator.bn.weight"][:, None, None] + w["generator.bn.bias"][:, None, None]
    return torch.tanh(conv(F.relu(h), "generator.conv_to_rgb", padding=1)[:, :3])
