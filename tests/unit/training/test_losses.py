import numpy as np
import pytest
import torch

from tinygan.training import losses


def test_pixel_is_the_mean_absolute_difference():
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 4, 3, 8, 8)).astype(np.float32)
    found = losses.pixel(torch.from_numpy(a), torch.from_numpy(b)).item()
    assert found == pytest.approx(np.abs(a - b).mean(), rel=1e-6)


def test_feature_weighs_each_layer():
    rng = np.random.default_rng(1)
    teacher = [rng.normal(size=(2, c, 4, 4)).astype(np.float32) for c in (3, 5)]
    student = [rng.normal(size=(2, c, 4, 4)).astype(np.float32) for c in (3, 5)]
    expected = sum(
        alpha * np.abs(t - s).mean()
        for alpha, t, s in zip((0.25, 1.0), teacher, student, strict=True)
    )
    found = losses.feature(
        [torch.from_numpy(t) for t in teacher], [torch.from_numpy(s) for s in student], (0.25, 1.0)
    )
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_feature_needs_one_weight_a_layer():
    layer = torch.zeros(1, 1, 1, 1)
    with pytest.raises(ValueError, match="3 feature weights for 1"):
        losses.feature([layer], [layer], (0.25, 0.5, 1.0))


def test_feature_sends_no_gradient_to_the_teacher():
    teacher = torch.zeros(1, 1, 2, 2, requires_grad=True)
    student = torch.ones(1, 1, 2, 2, requires_grad=True)
    losses.feature([teacher], [student], (1.0,)).backward()
    assert teacher.grad is None
    assert torch.equal(student.grad, torch.full((1, 1, 2, 2), 0.25))


def test_hinge():
    genuine, fake = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-2.0, -0.5, 1.0])
    # max(0, 1 - d): 0, 0.5, 2; max(0, 1 + s): 0, 0.5, 2
    expected = 2 * 2.5 / 3
    assert losses.adversarial_discriminator(genuine, fake).item() == pytest.approx(expected)
    assert losses.adversarial_generator(fake).item() == pytest.approx(0.5)
