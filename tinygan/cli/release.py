"""Subcommands that describe a model and pack it, so that it can be shared."""

from pathlib import Path

from tinygan.cli.options import FILE, MODEL, OUT, OUT_FILE, Arguments, Config, Subcommand
from tinygan.files import read_json, write_json, write_text


def _model_card(config: Config, arguments: Arguments) -> None:
    """Write the model card of a trained and scored student, in the Hugging Face Hub's format.

    Beside it, as JSON, what `tinygan release` needs of the run: scores, data and teacher.
    """
    from tinygan.release.card import model_card
    from tinygan.release.evaluation import SCORED, evaluation

    card = read_json(arguments.model / "card.json")
    paths = (arguments.scores, arguments.teacher, arguments.real)
    scores = {name: read_json(path) for name, path in zip(SCORED, paths, strict=True)}
    found = evaluation(config, card, scores)
    write_text(arguments.out, model_card(card, found))
    write_json(arguments.out.with_suffix(".json"), found)


def _release(_: Config, arguments: Arguments) -> None:
    """Pack a model into a folder that can be uploaded as it is, e.g. to the Hugging Face Hub.

    It has the weights, card.json, scores.json if the model was scored, a picture, and README.md, a
    model card with metadata, use, scores, hashes and limits. It is a model for other subcommands.
    """
    from tinygan.release.folder import open_model, release

    model = open_model(arguments.model, arguments.scores)
    names = release(model, arguments.out, license=arguments.license)
    print(f"wrote {arguments.out}: {', '.join(names)}")
    if model.evaluation:
        print(f"scores from {model.scores}")
    elif model.scores:
        target = model.scores.with_suffix(".md")
        print(f"without scores; to have them, run snakemake --cores 2 {target}, then this again")
    else:
        print("without scores, as there are none beside the model; --scores FILE gives them")


SUBCOMMANDS: dict[str, Subcommand] = {
    "model-card": (
        _model_card,
        {
            "--model": MODEL,
            "--scores": FILE | {"help": "its scores"},
            "--teacher": FILE | {"help": "the teacher's scores"},
            "--real": FILE | {"help": "scores of real images"},
            "--out": OUT_FILE | {"help": "Markdown file to write, and JSON beside it"},
        },
    ),
}
STANDALONE: dict[str, Subcommand] = {
    "release": (
        _release,
        {
            "model": {
                "metavar": "MODEL",
                "help": "folder of a model, such as results/mini/models/dw, or mini-dw, the shipped"
                " one",
            },
            "--out": OUT | {"help": "folder to write; an earlier release of it is replaced"},
            "--scores": {
                "type": Path,
                "metavar": "FILE",
                "help": "its scores.json, or cards/NAME.json of a run (default: beside the model or"
                " in its run)",
            },
            "--license": {
                "metavar": "ID",
                "help": "licence in the Hub's spelling, such as apache-2.0 (default: that of data "
                "and teacher if it is known, else other)",
            },
        },
    ),
}
