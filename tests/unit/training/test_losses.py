import numpy as np
import pytest
import torch

from tinygan.training import losses
from tinygan.training.images import Images
from tinygan.training.step import weighted


class Layers(torch.nn.Module):
    """A discriminator whose scores and features are known: it returns what it was given."""

    def __init__(self, features: dict[int, list[torch.Tensor]]) -> None:
        super().__init__()
        self.known = features

    def features(self, x: torch.Tensor) -> list[torch.Tensor]:
        return self.known[id(x)]

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        return x.sum(dim=(1, 2, 3)), self.features(x)


def images(
    teacher: list[torch.Tensor], student: list[torch.Tensor], y: torch.Tensor | None = None
) -> Images:
    """Return images before a discriminator that has these features of them."""
    a, b = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    seen = Layers({id(a): teacher, id(b): student})
    return Images(teacher=a, student=b, y=y).with_discriminator(seen)


def test_pixel_is_the_mean_absolute_difference():
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 4, 3, 8, 8)).astype(np.float32)
    found = losses.pixel(Images(teacher=torch.from_numpy(a), student=torch.from_numpy(b))).item()
    assert found == pytest.approx(np.abs(a - b).mean(), rel=1e-6)


def test_feature_weighs_each_layer():
    rng = np.random.default_rng(1)
    teacher = [rng.normal(size=(2, c, 4, 4)).astype(np.float32) for c in (3, 5)]
    student = [rng.normal(size=(2, c, 4, 4)).astype(np.float32) for c in (3, 5)]
    layers = [np.abs(t - s).mean() for t, s in zip(teacher, student, strict=True)]
    seen = images(*([torch.from_numpy(x) for x in part] for part in (teacher, student)))
    assert [x.item() for x in losses.feature(seen)] == pytest.approx(layers, rel=1e-6)
    total, terms = weighted(seen, {"feature": [0.25, 1.0]})
    assert total.item() == pytest.approx(0.25 * layers[0] + layers[1], rel=1e-6)
    assert terms["feature"].item() == total.item()


def test_feature_needs_one_weight_per_layer():
    layer = torch.zeros(1, 1, 1, 1)
    with pytest.raises(ValueError, match="shorter"):
        weighted(images([layer], [layer]), {"feature": [0.25, 0.5, 1.0]})


def test_feature_sends_no_gradient_to_the_teacher():
    weight = torch.nn.Parameter(torch.tensor(1.0))

    class Scale(torch.nn.Module):
        def features(self, x: torch.Tensor) -> list[torch.Tensor]:
            return [weight * x]

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple:
            return x.sum(dim=(1, 2, 3)), self.features(x)

    student = torch.ones(1, 1, 2, 2, requires_grad=True)
    teacher = torch.zeros(1, 1, 2, 2, requires_grad=True)
    (layer,) = losses.feature(Images(teacher=teacher, student=student).with_discriminator(Scale()))
    layer.backward()
    assert teacher.grad is None
    assert torch.equal(student.grad, torch.full((1, 1, 2, 2), 0.25))
    assert weight.grad.item() == 1.0  # the mean of the student's ones alone


def test_hinge():
    genuine, fake = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-2.0, -0.5, 1.0])
    # max(0, 1 - d): 0, 0.5, 2; max(0, 1 + s): 0, 0.5, 2
    expected = 2 * 2.5 / 3
    assert losses.hinge(genuine, fake).item() == pytest.approx(expected)
    seen = Images(real_y=torch.zeros(3)).with_discriminator(torch.nn.Identity())
    seen._outputs["fresh"] = fake, []
    assert losses.gan_student(seen).item() == pytest.approx(0.5)


def test_every_term_trains_one_network_on_one_kind_of_image():
    kinds = {name: (t.trains, t.needs, t.adversarial) for name, t in losses.TERMS.items()}
    assert kinds == {
        "pixel": ("student", "pairs", False),
        "feature": ("student", "pairs", False),
        "kd_student": ("student", "pairs", True),
        "gan_student": ("student", "real", True),
        "kd_discriminator": ("discriminator", "pairs", False),
        "gan_discriminator": ("discriminator", "real", False),
    }
