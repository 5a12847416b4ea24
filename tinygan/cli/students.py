"""Verbs that train a student and draw its images."""

from tinygan.cli.options import (
    CLASSES,
    MANIFESTS,
    MODEL,
    REAL,
    Arguments,
    Config,
    Verb,
    use_threads,
)
from tinygan.config import parse_range, resolve_variant, snapshot_steps
from tinygan.files import digest_json, read_json


def _train(config: Config, arguments: Arguments) -> None:
    """Train one variant; writes generator.safetensors, snapshots/, log.csv and card.json."""
    from tinygan.checkpoint import save_card
    from tinygan.cost import parameters
    from tinygan.shards import open_store
    from tinygan.training import LossWeights, build, train

    use_threads(arguments.threads)
    config = resolve_variant(config, arguments.variant)
    settings = dict(config["train"])
    generator, discriminator, recipe = build(
        student=config["student"],
        seed=config["seed"],
        classes=len(config["classes"]),
        image_size=config["image_size"],
        z_dim=config["z_dim"],
    )
    pairs, real = open_store(arguments.pairs), open_store(arguments.real)
    weights = LossWeights(**config["loss"])
    train(
        pairs,
        real,
        generator,
        discriminator,
        weights,
        seed=config["seed"],
        truncation=config["teacher"]["truncation"],
        steps=settings["steps"],
        batch=settings["batch"],
        learning_rate=settings["learning_rate"],
        decay_from=settings["decay_from"],
        adversarial_every=settings["adversarial_every"],
        log_every=settings["log_every"],
        snapshot_steps=snapshot_steps(config),
        out=arguments.out,
        name=arguments.variant,
    )
    card = {
        "variant": arguments.variant,
        "generator": recipe,
        "parameters": parameters(generator),
        "discriminator_parameters": parameters(discriminator) if weights.discriminator else 0,
        "loss": config["loss"],
        "train": settings,
        "seed": config["seed"],
        "truncation": config["teacher"]["truncation"],
        "data": {
            "pairs": [digest_json(shard.manifest["arrays"]) for shard in pairs],
            "real": [digest_json(shard.manifest["arrays"]) for shard in real],
        },
    }
    save_card(arguments.out, card)


def _sample(config: Config, arguments: Arguments) -> None:
    """Draw a student's images of a class range, with the z of the teacher's evaluation split."""
    from tinygan.checkpoint import load_generator
    from tinygan.sampling import sample
    from tinygan.shards import write_shard

    use_threads(arguments.threads)
    settings = {
        "seed": config["seed"],
        "truncation": config["teacher"]["truncation"],
        "batch": config["metrics"]["batch"],
    }
    images, labels, z = sample(
        load_generator(arguments.model),
        parse_range(arguments.classes),
        config["metrics"]["samples_per_class"],
        z_dim=config["z_dim"],
        **settings,
    )
    card = read_json(arguments.model / "card.json")
    write_shard(
        arguments.out,
        images,
        labels,
        z,
        source=card["variant"],
        provenance=settings | {"generator": card["sha256"]},
    )


VERBS: dict[str, Verb] = {
    "train": (
        _train,
        {
            "--variant": {"required": True, "help": "a name under `variants` in the config"},
            "--pairs": MANIFESTS | {"help": "the teacher's shards"},
            "--real": REAL,
        },
    ),
    "sample": (_sample, {"--model": MODEL, "--classes": CLASSES}),
}
