"""A finished run of `mini` whose files were written by stand-ins that compute nothing."""

from pathlib import Path

from helpers.checkouts import make_checkout, snakemake

# A file in the checkout that makes the next training wait until it is deleted.
PAUSE = "pause"
# Writes the files of a subcommand or script; their content is its arguments.
_SCRIPT = f"""
import json
import os
import sys
import time
import zlib
from pathlib import Path

sys.path.insert(0, os.getcwd())

from tinygan.config.derived import resolve_variant, shard_ranges, snapshot_steps
from tinygan.export.files import PRECISIONS, file_name
from tinygan.planning.run import load
from tinygan.training.settings import LossSettings

words = sys.argv[1:]
called = words[0] if words[0][0] != "-" else Path(sys.argv[0]).stem
given = {{key: value for key, value in zip(words, words[1:]) if key.startswith("--")}}
config = load(given["--config"]) if "--config" in given else None
out = Path(given["--out"]) if "--out" in given else None
content = " ".join(words)
shard = ["manifest.json", "images.npy", "labels.npy"]
if called == "real":
    files = [out / name / file for name in shard_ranges(config) for file in shard]
elif called in ("harvest", "sample", "sample-export"):
    folders = [out] + [Path(given[key]) for key in ("--previews", "--images") if key in given]
    files = [folder / file for folder in folders if folder for file in [*shard, "z.npy"]]
    files += [Path(given["--scores"])] if "--scores" in given else []
elif called in ("interpolate", "interpolate-teacher"):
    files = [out / file for file in ("manifest.json", "images.npy")]
elif called == "train":
    while Path("{PAUSE}").exists():
        time.sleep(0.05)
    resolved = resolve_variant(config, given["--variant"])
    steps = snapshot_steps(resolved)
    files = [out / f"snapshots/{{step:06d}}.safetensors" for step in steps]
    files += [out / file for file in ("generator.safetensors", "card.json", "log.csv")]
    if LossSettings.of(resolved["loss"]).needs_discriminator:
        files.append(out / "discriminator.safetensors")
elif called == "export":
    files = [out / file_name(precision) for precision in PRECISIONS] + [out / "export.json"]
elif called.startswith("table") or called in ("variance", "score_sheet", "compression"):
    files = [out.with_suffix(suffix) for suffix in (".csv", ".html", ".md", ".tex")]
elif called == "sweep":
    files = [out.with_suffix(suffix) for suffix in (".csv", ".html", ".md", ".pdf", ".png", ".tex")]
elif called == "provenance":
    files = [out, out.with_suffix(".rst")]
elif called == "model-card":
    files = [out, out.with_suffix(".json")]
elif called == "claims":
    files = [out.with_suffix(suffix) for suffix in (".md", ".html", ".json")]
elif called == "report":
    files = [out.with_suffix(".html")]
elif called.startswith("fig"):
    files = [out.with_suffix(suffix) for suffix in (".png", ".pdf")]
else:
    files = [out, *([Path(given["--intra"])] if "--intra" in given else [])]
    if "--metrics" in given:
        metrics = Path(given["--metrics"])
        metrics.parent.mkdir(parents=True, exist_ok=True)
        metrics.write_text(json.dumps({{"fid": zlib.crc32(content.encode())}}))
for file in files:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = content
    if file.name == "manifest.json":
        classes = dict.fromkeys(range(len(config["classes"])), 1000)
        text = json.dumps({{"classes": classes, "words": words}})
    file.write_text(text)
"""


def finish(top: Path) -> Path:
    """Make a checkout in an empty folder, and run target `all` there with stand-ins.

    A training waits while there is a file `PAUSE` in the checkout.
    """
    make_checkout(top)
    for script in [top / "tinygan" / "__main__.py", *(top / "analysis").glob("[!_]*.py")]:
        script.write_text(_SCRIPT)
    snakemake(top, "all")
    return top
