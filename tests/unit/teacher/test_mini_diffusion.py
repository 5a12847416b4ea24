"""The shipped diffusion model as a teacher: its solver, its file, and what it refuses."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.paths import ROOT

from tinygan.code import closure, file_of
from tinygan.errors import UserCodeError
from tinygan.files import sha256
from tinygan.planning.run import load_files
from tinygan.teacher import mini_diffusion
from tinygan.teacher.mini_diffusion import STEPS, WEIGHTS, images, noise_levels, solve
from tinygan.teacher.open import open_teacher

MEAN, STD = -0.6, 0.75


def gaussian(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """D(x; sigma) of data N(MEAN, STD^2): the posterior mean."""
    return MEAN + (x - MEAN) * STD**2 / (STD**2 + sigma**2)


def exact(x: torch.Tensor, sigma: float, target: float) -> torch.Tensor:
    """The solution of the ODE for these data: x - MEAN scales with the deviation at each level."""
    return MEAN + (x - MEAN) * np.sqrt((STD**2 + target**2) / (STD**2 + sigma**2))


def test_the_noise_levels_are_those_of_equation_5() -> None:
    levels = noise_levels(20)
    assert len(levels) == 21 and levels[-1] == 0
    i = np.arange(20)
    expected = (80 ** (1 / 7) + i / 19 * (0.02 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    np.testing.assert_allclose(levels[:-1], expected, rtol=1e-12)


def errors(steps: list[int]) -> np.ndarray:
    """Largest errors of the solver between two noise levels, for so many steps of each."""
    x, found = torch.tensor([-20.0, -1.0, 30.0], dtype=torch.float64), []
    for count in steps:
        sigmas = np.geomspace(10, 0.1, count + 1).tolist()
        found.append(float((solve(gaussian, x, sigmas) - exact(x, 10, 0.1)).abs().max()))
    return np.array(found)


def test_the_solver_is_of_second_order() -> None:
    found = errors([40, 80, 160, 320])
    orders = np.log2(found[:-1] / found[1:])
    assert found[-1] < 1e-3
    np.testing.assert_allclose(orders, 2, atol=0.15)


def test_one_evaluation_per_step_and_the_first_two_steps_by_hand() -> None:
    """DPM-Solver++(2M), Algorithm 2 of Lu et al. 2022, with alpha = 1."""
    calls = []

    def denoise(x: torch.Tensor, sigma: float) -> torch.Tensor:
        calls.append(sigma)
        return gaussian(x, sigma)

    x, sigmas = torch.tensor([2.0], dtype=torch.float64), [4.0, 2.0, 0.5, 0.0]
    found = float(solve(denoise, x, sigmas))
    assert calls == sigmas[:-1]
    d0 = float(gaussian(x, 4.0))
    x1 = 2 / 4 * 2 - (np.exp(-np.log(4 / 2)) - 1) * d0
    d1 = float(gaussian(torch.tensor(x1), 2.0))
    r = np.log(4 / 2) / np.log(2 / 0.5)
    x2 = 0.5 / 2 * x1 - (np.exp(-np.log(2 / 0.5)) - 1) * ((1 + 1 / (2 * r)) * d1 - d0 / (2 * r))
    assert found == pytest.approx(float(gaussian(torch.tensor(x2), 0.5)), rel=1e-12)


def test_twenty_steps_of_the_teachers_own_levels_are_close_to_the_ode() -> None:
    rng = np.random.default_rng(0)
    z = torch.from_numpy(rng.standard_normal(10_000))
    found = solve(gaussian, 80 * z, noise_levels(STEPS))
    # The largest z are four deviations away, and an image has pixels from -1 to 1.
    assert float((found - exact(80 * z, 80, 0)).abs().max()) < 0.1
    assert float(found.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(found.std()) == pytest.approx(STD, abs=0.03)


def noise(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    z = rng.standard_normal((count, 1, 32, 32), dtype=np.float32)
    return z, np.arange(count, dtype=np.int64) % 10


def test_the_same_noise_gives_the_same_grey_image() -> None:
    z, y = noise(4)
    first = images(z, y, 1.0)
    assert first.shape == (4, 32, 32, 3) and first.dtype == np.uint8
    assert (first == first[..., :1]).all()
    assert len(np.unique(first, axis=0)) == 4
    # In a batch of the same size, a row does not depend on the others.
    z[2:] = z[2:][::-1].copy()
    assert np.array_equal(first[:2], images(z, y, 1.0)[:2])
    # Animals are white, on a black ground, inside a border of two black pixels.
    assert 0.02 < (first > 128).mean() < 0.6
    assert (first[:, [0, 31]] < 32).mean() > 0.95


def test_scaled_noise_is_refused() -> None:
    with pytest.raises(ValueError, match="not noise scaled by 0.8: set teacher.truncation to null"):
        images(*noise(1), 0.8)


def test_the_shipped_file_is_the_one_of_the_card() -> None:
    card = (ROOT / "resources" / "mini_diffusion.md").read_text()
    assert sha256(WEIGHTS) in card
    assert WEIGHTS.stat().st_size < 8e6
    settings = load_files([ROOT / "config/mini_diffusion.yaml"])["mini_diffusion"]
    steps, batch = re.search(r"\| ([\d,]+) updates, batch (\d+)", card).groups()
    assert (int(steps.replace(",", "")), int(batch)) == (settings["steps"], settings["batch"])
    network = mini_diffusion._network()
    assert [len(b.conv_2.bias) for b in network.unet.down] == settings["widths"]


def test_the_preset_lists_every_file_that_decides_the_images() -> None:
    listed = load_files([ROOT / "config/mini_diffusion.yaml"])["teacher"]["files"]
    module = "tinygan.teacher.mini_diffusion"
    code = {file_of(name) for name in closure(module) - {module}}
    assert {ROOT / name for name in listed} == code | {WEIGHTS}


def test_the_preset_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config = load_files(["config/mini_diffusion.yaml"], {"teacher": {"batch": 4}})
    teacher, _ = open_teacher(config)
    z, y = noise(4)
    assert np.array_equal(teacher(z.reshape(4, 1024), y, None), images(z, y, 1.0))


@pytest.mark.parametrize("content", [None, b"\x1f\x8b"])
def test_a_missing_or_wrong_file_is_one_clear_message(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "denoiser.safetensors"
    if content:
        path.write_bytes(content)
    monkeypatch.setattr(mini_diffusion, "WEIGHTS", path)
    monkeypatch.chdir(ROOT)
    mini_diffusion._network.cache_clear()
    config = load_files(["config/mini_diffusion.yaml"], {"teacher": {"files": []}})
    what = "compressed by gzip: unpack it first" if content else "no weights of the diffusion model"
    with pytest.raises(UserCodeError, match=what):
        open_teacher(config)
    config["teacher"]["files"] = [str(path)]
    if not content:
        with pytest.raises(FileNotFoundError, match="teacher.files: there is no file"):
            open_teacher(config)
