import copy
import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.training_setup import (
    FULL,
    OBJECTIVES,
    PIXEL_ONLY,
    files,
    networks,
    run,
    settings,
)

from tinygan.data.shards import open_store, write_shard
from tinygan.files import read_json, sha256, write_json
from tinygan.generation.sampling import draw
from tinygan.models.io import load_discriminator, load_generator, load_weights, save_weights
from tinygan.models.pixels import normalize, to_uint8
from tinygan.seeding import latents
from tinygan.training.data import Batch, ShardDataset, rows_of_step
from tinygan.training.loop import train
from tinygan.training.settings import LossSettings, TrainSettings
from tinygan.training.step import TrainingStep


def random_batch(count=4):
    torch.manual_seed(1)
    y = torch.tensor([0, 1, 2, 0])
    image = (count, 3, 32, 32)
    return Batch(
        z=torch.randn(count, 16),
        y=y,
        teacher=torch.rand(image) * 2 - 1,
        real=torch.rand(image) * 2 - 1,
        real_y=y.flip(0),
        fresh_z=torch.randn(count, 16),
    )


def gradients(network):
    return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


@pytest.mark.parametrize("adversarial", [True, False])
def test_gradients_equal_those_of_the_equations(adversarial):
    """Eq. 1-7 written out once more, one pass a term; relative difference under 1e-5."""
    generator, discriminator = networks()
    for _ in range(3):  # the power iteration moves in training mode: settle, then freeze it
        discriminator(torch.randn(2, 3, 32, 32), torch.tensor([0, 1]))
    plain_g, plain_d = copy.deepcopy(generator), copy.deepcopy(discriminator).eval()
    data, loss = random_batch(), LossSettings.of(FULL)
    step = TrainingStep.of(settings(FULL))
    # Steps of size 0, so that both updates see the initial weights.
    step.generator, step.discriminator = generator, discriminator.eval()
    step.optimisers = {
        name: torch.optim.SGD(network.parameters(), 0.0) for name, network in step.networks.items()
    }
    train = replace(settings().train, adversarial_every=1 if adversarial else 2)
    step(data, loss.at(1, train))
    ours_d, ours_g = gradients(discriminator), gradients(generator)

    def score(x, y):
        return plain_d(x, y)[0]

    fake_kd, fake_gan = plain_g(data.z, data.y), plain_g(data.fresh_z, data.real_y)
    eq3 = F.relu(1 - score(data.teacher, data.y)).mean()
    eq3 = eq3 + F.relu(1 + score(fake_kd.detach(), data.y)).mean()
    eq5 = F.relu(1 - score(data.real, data.real_y)).mean()
    eq5 = eq5 + F.relu(1 + score(fake_gan.detach(), data.real_y)).mean()
    (eq3 + 0.2 * eq5).backward()
    theirs_d = gradients(plain_d)
    plain_d.requires_grad_(False)
    eq1 = (data.teacher - fake_kd).abs().mean()
    eq4 = sum(
        alpha * (t - s).abs().mean()
        for alpha, t, s in zip(
            FULL["feature"], plain_d.features(data.teacher), plain_d.features(fake_kd), strict=True
        )
    )
    eq6 = eq4 + 0.2 * eq1
    if adversarial:
        eq6 = eq6 - 0.01 * score(fake_kd, data.y).mean()
        eq6 = eq6 - 0.002 * score(fake_gan, data.real_y).mean()
    eq6.backward()

    for ours, theirs in ((ours_d, theirs_d), (ours_g, gradients(plain_g))):
        assert ((ours - theirs).norm() / theirs.norm()).item() < 1e-5


def test_an_ablation_drops_exactly_its_terms():
    data = random_batch()

    def terms(**changes):
        chosen = settings(FULL | changes, adversarial_every=1)
        return set(TrainingStep.of(chosen)(data, chosen.loss.at(1, chosen.train)))

    everything = set(FULL) - {"pixel_zero_at"}
    assert terms() == everything
    assert terms(feature=[]) == everything - {"feature"}
    gan = {"gan_student", "gan_discriminator"}
    assert terms(**dict.fromkeys(gan, 0)) == everything - gan
    kd = {"kd_student", "kd_discriminator"}
    assert terms(**dict.fromkeys(kd, 0)) == everything - kd


def test_schedules_are_functions_of_the_step():
    loss = LossSettings.of(FULL)
    assert loss.pixel_at(1, 100) == 0.2
    assert loss.pixel_at(26, 100) == pytest.approx(0.1)
    assert loss.pixel_at(51, 100) == loss.pixel_at(100, 100) == 0
    assert LossSettings.of(FULL | {"pixel_zero_at": None}).pixel_at(100, 100) == 0.2
    train = TrainSettings(100, 4, 2e-4, decay_from=0.5, adversarial_every=10, log_every=1)
    rates = [train.learning_rate_at(step) for step in (1, 50, 51, 76, 100)]
    assert rates == pytest.approx([2e-4, 2e-4, 2e-4, 1e-4, 4e-6])
    assert [set(FULL) - set(loss.at(step, train)) - {"pixel_zero_at"} for step in (9, 10, 60)] == [
        {"kd_student", "gan_student"},
        set(),
        {"pixel"},
    ]


def test_order_shows_every_row_once_an_epoch():
    seen = np.concatenate([rows_of_step(0, "order", step, 6, 9) for step in (1, 2, 3)])
    assert sorted(seen[:9]) == sorted(seen[9:]) == list(range(9))
    assert not np.array_equal(seen[:9], seen[9:])


def test_rows_gather_across_shards(stores):
    pairs, real = stores
    rows = ShardDataset(pairs)
    index = np.array([17, 0, 11, 12, 3])
    images = np.concatenate([shard.images for shard in pairs])
    assert len(rows) == 18
    np.testing.assert_array_equal(rows.gather("images", index), images[index])
    assert rows.gather("labels", index).tolist() == [2, 0, 1, 2, 0]
    with pytest.raises(ValueError, match="has no z"):
        ShardDataset(real).gather("z", index)


def test_pixels_survive_the_round_trip_through_floats():
    images = np.arange(256, dtype=np.uint8).reshape(1, 8, 32, 1).repeat(3, axis=3)
    np.testing.assert_array_equal(to_uint8(normalize(images)), images)
    extremes = torch.tensor([-1.0, 1.0, 0.0, -0.004]).reshape(1, 1, 2, 2).repeat(1, 3, 1, 1)
    assert to_uint8(extremes)[0, :, :, 0].tolist() == [[0, 255], [128, 127]]


@pytest.mark.parametrize("weights", OBJECTIVES.values(), ids=OBJECTIVES)
def test_two_runs_give_the_same_bytes(stores, tmp_path, weights):
    first, second = (run(stores, tmp_path / name, weights) for name in "ab")
    assert files(first) == files(second)
    assert {"generator.safetensors", "snapshots/000004.safetensors"} <= files(first).keys()


def test_the_discriminator_is_saved_with_its_shape_and_hash(stores, tmp_path):
    pairs, real = stores
    networks = train(settings(FULL), pairs, real, tmp_path / "again")
    folder = run(stores, tmp_path / "m", FULL)
    loaded = load_discriminator(folder)
    assert not loaded.training and loaded.convs[0].parametrizations.weight.original.shape[1] == 3
    images, y = torch.rand(3, 3, 32, 32) * 2 - 1, torch.arange(3)
    assert torch.equal(loaded(images, y)[0], networks["discriminator"].eval()(images, y)[0])
    hashed = json.loads((folder / "card.json").read_text())["discriminator_sha256"]
    assert hashed == sha256(folder / "discriminator.safetensors")


def test_a_student_that_trains_no_discriminator_has_none(stores, tmp_path):
    folder = run(stores, tmp_path / "m", PIXEL_ONLY)
    assert not (folder / "discriminator.safetensors").exists()
    with pytest.raises(FileNotFoundError, match="has no discriminator"):
        load_discriminator(folder)


def test_log_has_the_terms_in_use(stores, tmp_path):
    folder = run(stores, tmp_path / "m", PIXEL_ONLY)
    with open(folder / "log.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert all(float(row["loss_pixel"]) > 0 for row in rows[:1])
    assert all(row["loss_feature"] == row["loss_kd_discriminator"] == "" for row in rows)


def test_training_on_pixels_lowers_the_pixel_loss(stores, tmp_path):
    weights = PIXEL_ONLY | {"pixel_zero_at": None}
    folder = run(stores, tmp_path / "m", weights, steps=60, log_every=10)
    with open(folder / "log.csv") as file:
        values = [float(row["loss_pixel"]) for row in csv.DictReader(file)]
    # The images are noise, of which nothing can be learnt but its median: 0.5 is the floor.
    assert 0.49 < values[-1] < 0.5 + 0.25 * (values[0] - 0.5)


def test_nan_stops_with_the_term(stores, tmp_path):
    with pytest.raises(FloatingPointError, match="loss pixel is (nan|inf)"):
        run(stores, tmp_path / "m", PIXEL_ONLY, learning_rate=1e30)
    assert not (tmp_path / "m" / "generator.safetensors").exists()
    assert not list((tmp_path / "m").glob("*log*"))


def test_image_sizes_must_agree(stores, tmp_path):
    pairs, _ = stores
    images = np.zeros((3, 16, 16, 3), np.uint8)
    write_shard(tmp_path / "r", images, np.arange(3), source="test", provenance={})
    with pytest.raises(ValueError, match="teacher images are"):
        run((pairs, open_store([tmp_path / "r"])), tmp_path / "m", FULL)


def test_checkpoint_round_trip_and_refusals(stores, tmp_path):
    folder = run(stores, tmp_path / "m", FULL)
    kept = load_generator(folder)
    z, y = torch.randn(2, 16), torch.tensor([0, 2])
    again = load_generator(folder, step=4)
    assert torch.equal(kept(z, y), again(z, y))
    other, discriminator = networks()
    with pytest.raises(ValueError, match="does not have the weights of this network"):
        load_weights(discriminator, folder / "generator.safetensors")
    whole = (folder / "generator.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut\.safetensors"):
        load_weights(other, tmp_path / "cut.safetensors")
    with pytest.raises(FileNotFoundError, match="train the model first"):
        load_generator(folder, step=3)
    with pytest.raises(FileNotFoundError, match="not a model"):
        load_generator(tmp_path)
    card = read_json(folder / "card.json")
    card["generator"]["colours"] = card["generator"].pop("image_channels")
    write_json(folder / "card.json", card)
    with pytest.raises(ValueError, match="another version .*colours.*: train or import the model"):
        load_generator(folder)


def test_samples_do_not_depend_on_the_class_ranges():
    generator = networks()[0].eval()
    options = {"seed": 3, "z_dim": 16, "truncation": 0.5, "batch": 4}
    together = list(draw(generator, range(3), 6, **options))
    alone = list(draw(generator, [1], 6, **options))
    assert [len(images) for images, _, _ in together] == [4, 2] * 3
    for (images, labels, z), same in zip(together[2:4], alone, strict=True):
        assert set(labels) == {1}
        np.testing.assert_array_equal(images, same[0])
        np.testing.assert_array_equal(z, same[2])
    z = np.concatenate([z for _, _, z in alone])
    np.testing.assert_array_equal(z, latents(3, "evaluation", 1, 6, 16, 0.5))


def test_save_weights_leaves_nothing_half_written(tmp_path, monkeypatch):
    monkeypatch.setattr("tinygan.models.io.save_file", lambda state, path: 1 / 0)
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        save_weights(networks()[0], tmp_path / "g.safetensors")
    assert list(tmp_path.iterdir()) == []
