"""`tinygan fetch`: assets of each kind, hashes, files got by hand, and what is said of failures."""

import dataclasses
import gzip
import hashlib
import io
import json
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
from helpers.command_line import FEW_SAMPLES, mini, tinygan
from helpers.published_weights import sngan_file, tinygan_file
from helpers.web import CLOSED, Site

from tinygan.assets.cache import cache_folder, expected_sha256, locate, require
from tinygan.assets.install import git_blob
from tinygan.assets.table import ASSETS
from tinygan.cli import main
from tinygan.data.shards import open_shard
from tinygan.folders import folder_sha256

TORCH, HUB, GRAPH = "biggan-deep-128-torch", "biggan-deep-128-tfhub", "inception-graph"
WEIGHTS = b"PK\x03\x04" + b"weights" * 1000
MODULE = {"saved_model.pb": b"graph", "variables/variables.index": b"1", "variables/a/b": b"2"}


def change(monkeypatch: pytest.MonkeyPatch, name: str, **changes: object) -> None:
    monkeypatch.setitem(ASSETS, name, dataclasses.replace(ASSETS[name], **changes))


def archive(files: dict[str, bytes], *, top: str = "", add: tuple = ()) -> bytes:
    """Return a tar.gz with these files in the folder `top`, and further members."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{top}{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        for name, kind, target in add:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            tar.addfile(member)
    return content.getvalue()


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_downloaded_and_compared_with_the_published_hash(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    site.files["w.bin"] = WEIGHTS
    addresses = tuple(f"{site.address}/{path}" for path in ("forbidden/w.bin", "w.bin"))
    change(monkeypatch, TORCH, addresses=addresses)
    assert main(["fetch", TORCH]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"tinygan fetch: {TORCH} cannot be downloaded ({addresses[0]}: the ser")
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    assert f"the download: it has the SHA-256 {digest}, but b86146a8" in error
    path = cache / "biggan-deep-128-pytorch_model.bin"
    command = f"`tinygan fetch {TORCH} --from FILE`, which checks it and puts it at {path}"
    assert error.endswith(f"https://huggingface.co/osanseviero/BigGAN-deep-128, then run {command}")
    assert not files(cache)

    change(monkeypatch, TORCH, sha256=digest)
    assert main(["fetch", TORCH]) == 0
    assert files(cache) == {path.name}
    assert path.read_bytes() == WEIGHTS
    printed = capsys.readouterr().out
    assert f"{path} (in the cache)" in printed and f"{digest} (published)" in printed
    # There already: checked, and not downloaded.
    site.requests.clear()
    assert main(["fetch", TORCH]) == 0 and not site.requests
    assert main(["fetch", TORCH, "--from", str(path)]) == 1
    assert f"is in the cache already: delete {path} first" in capsys.readouterr().err
    path.write_bytes(WEIGHTS + b"!")
    assert main(["fetch", TORCH]) == 1
    assert f"{path}: delete it and run `tinygan fetch {TORCH}` again" in capsys.readouterr().err


def test_a_hash_that_is_not_published_is_recorded_at_first_use(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    site.files["graph"] = gzip.compress(b"graph")
    change(monkeypatch, GRAPH, addresses=(f"{site.address}/graph",))
    assert main(["fetch", GRAPH]) == 0
    path = cache / ASSETS[GRAPH].path
    record = path.with_name(f"{path.name}.sha256")
    digest = hashlib.sha256(site.files["graph"]).hexdigest()
    assert record.read_text() == f"{digest}  {path.name}\n"
    assert f"{digest} (recorded at first use)" in capsys.readouterr().out
    path.unlink()
    site.files["graph"] = gzip.compress(b"another")
    assert main(["fetch", GRAPH]) == 1
    assert f"but {digest} was recorded at first use in {record}" in capsys.readouterr().err
    assert files(cache) == {record.name}
    record.unlink()
    assert main(["fetch", GRAPH]) == 0
    assert files(cache) == {path.name, record.name}


@pytest.mark.parametrize("top", ["", "./", "biggan-deep-128/1/"])
def test_a_module_is_unpacked(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch, top: str
) -> None:
    site.files["1"] = archive(MODULE, top=top)
    change(monkeypatch, HUB, addresses=(f"{site.address}/moved/1?tf-hub-format=compressed",))
    assert main(["fetch", HUB]) == 0
    assert files(cache / HUB) == MODULE.keys()
    assert files(cache) == {f"{HUB}/{name}" for name in MODULE} | {f"{HUB}.sha256"}
    assert expected_sha256(HUB)[0] == folder_sha256(cache / HUB)
    # The documented way to compute it without this project.
    command = "find -L . -type f -not -path '*/.*' -printf '%P\\n' | LC_ALL=C sort"
    (cache / HUB / ".DS_Store").touch()
    shell = subprocess.run(
        f"{command} | xargs -d '\\n' sha256sum | sha256sum",
        shell=True,
        cwd=cache / HUB,
        capture_output=True,
        text=True,
    )
    assert shell.stdout.split()[0] == expected_sha256(HUB)[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive({"../evil": b"x"} | MODULE), "its archive has ../evil, which is not a plain file"),
        (archive({"/tmp/evil": b"x"} | MODULE), "its archive has /tmp/evil, which is not"),
        (archive({"a/../../evil": b"x"} | MODULE), "its archive has a/../../evil, which"),
        (archive(MODULE, add=[("a", tarfile.SYMTYPE, "/tmp")]), "its archive has a, which is not"),
        (archive(MODULE, add=[("a", tarfile.LNKTYPE, "/tmp")]), "its archive has a, which is not"),
        (archive(MODULE, add=[("a", tarfile.FIFOTYPE, "")]), "its archive has a, which is not"),
        (archive(MODULE, add=[("saved_model.pb", tarfile.REGTYPE, "")]), "File exists"),
        (archive(MODULE, add=[("saved_model.pb/a", tarfile.REGTYPE, "")]), "not a valid archive"),
        (archive({"notes.txt": b"x"}), "it has no saved_model.pb, so it is no TF-Hub module"),
        (archive(MODULE)[:-30], "is not a valid archive of a module"),
        (b"\x1f\x8bnonsense", "is not a valid archive of a module"),
    ],
)  # fmt: skip
def test_an_archive_that_is_not_a_modules_leaves_nothing(
    site: Site, cache: Path, monkeypatch, capsys, content: bytes, message: str
) -> None:
    site.files["1"] = content
    change(monkeypatch, HUB, addresses=(f"{site.address}/1",))
    assert main(["fetch", HUB]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not list(cache.iterdir()) and not list(cache.parent.glob("evil"))


@pytest.mark.parametrize("form", ["archive", "folder"])
def test_a_module_that_was_got_by_hand(
    tmp_path: Path, cache: Path, monkeypatch, capsys, form: str
) -> None:
    given = tmp_path / "given"
    if form == "archive":
        given.write_bytes(archive(MODULE))
    else:
        for name, data in MODULE.items():
            (given / name).parent.mkdir(parents=True, exist_ok=True)
            (given / name).write_bytes(data)
    change(monkeypatch, HUB, addresses=(f"{CLOSED}/1",))
    assert main(["fetch", HUB]) == 1
    error = capsys.readouterr().err
    assert "open https://tfhub.dev/deepmind/biggan-deep-128/1 in a browser" in error
    assert "Kaggle" in error and f"`tinygan fetch {HUB} --from FILE`" in error
    assert main(["fetch", HUB, "--from", str(given)]) == 0
    assert files(cache / HUB) == MODULE.keys() and given.exists()
    assert require("asset:biggan-deep-128", "tfhub") == str(cache / HUB)


def test_a_file_that_was_got_by_hand_is_checked(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture
) -> None:
    given = tmp_path / "pytorch_model.bin"
    for content, message in (
        (WEIGHTS, "pytorch_model.bin: it has the SHA-256 "),
        (b"<html>", "pytorch_model.bin is an HTML page"),
    ):
        given.write_bytes(content)
        assert main(["fetch", TORCH, "--from", str(given)]) == 1
        assert message in capsys.readouterr().err
    assert main(["fetch", TORCH, "--from", str(tmp_path / "none")]) == 1
    assert "there is no file or folder" in capsys.readouterr().err
    assert given.exists() and not files(cache)
    # Put there without `fetch`: recorded when it is fetched.
    graph = cache / ASSETS[GRAPH].path
    graph.parent.mkdir(exist_ok=True)
    graph.write_bytes(b"graph")
    assert main(["fetch", GRAPH]) == 0
    assert expected_sha256(GRAPH)[0] == hashlib.sha256(b"graph").hexdigest()


@pytest.mark.parametrize(
    ("name", "write"), [("tinygan-authors", tinygan_file), ("sngan-projection", sngan_file)]
)
def test_a_model_is_imported(
    tmp_path: Path, cache: Path, monkeypatch, capsys, name: str, write
) -> None:
    given = tmp_path / "given.npz"
    write(given)
    if ASSETS[name].git_blob:
        assert main(["fetch", name, "--from", str(given)]) == 1
        assert "git blob id is" in capsys.readouterr().err and not files(cache)
        change(monkeypatch, name, git_blob=git_blob(given))
    assert main(["fetch", name, "--from", str(given)]) == 0
    weights = Path(ASSETS[name].path).name
    expected = {weights, f"{weights}.sha256", "card.json", "generator.safetensors"}
    assert files(cache / name) == expected
    assert require(f"asset:{name}") == str(cache / name)
    # An import that was stopped is repeated, a finished one is not.
    (cache / name / "card.json").unlink()
    with pytest.raises(FileNotFoundError, match=f"run `tinygan fetch {name}`"):
        require(f"asset:{name}")
    assert main(["fetch", name]) == 0
    written = (cache / name / "card.json").stat().st_mtime_ns
    assert main(["fetch", name]) == 0
    assert (cache / name / "card.json").stat().st_mtime_ns == written


def test_a_model_is_a_source_once_it_has_been_fetched(tmp_path: Path, cache: Path, capsys) -> None:
    config = mini() | {"sources": {"sngan": "asset:sngan-projection"}}
    words = ["source", "--name", "sngan", "--classes", "000-001", "--images", tmp_path / "out"]
    assert tinygan(tmp_path, config, *words) == 1
    assert "run `tinygan fetch sngan-projection`" in capsys.readouterr().err
    sngan_file(tmp_path / "given.npz")
    assert main(["fetch", "sngan-projection", "--from", str(tmp_path / "given.npz")]) == 0
    # The published model has ImageNet's classes.
    card = cache / "sngan-projection" / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"classes": config["classes"]}))
    config["metrics"] |= FEW_SAMPLES
    assert tinygan(tmp_path, config, *words) == 0
    assert open_shard(tmp_path / "out").manifest["classes"] == {"0": 4, "1": 4}


def test_the_git_id_is_gits(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"hello\n")
    assert git_blob(tmp_path / "file") == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_the_list_shows_every_asset(cache: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["fetch", "--list"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"cache: {cache} ")
    for name, asset in ASSETS.items():
        assert f"\n{name}: {asset.what}\n" in printed and asset.config in printed
    assert printed.count("(not in the cache)") == len(ASSETS) and not cache.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["biggan-deep-128"], "there is no asset biggan-deep-128; did you mean biggan-deep-128-"),
        ([], "give the name of an asset"),
        ([TORCH, HUB, "--from", "x"], "one with --from"),
    ],
)
def test_wrong_words_are_refused(cache: Path, capsys, words: list[str], message: str) -> None:
    assert main(["fetch", *words]) == 1
    assert message in capsys.readouterr().err


def test_the_cache_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    monkeypatch.setenv("TINYGAN_CACHE", "mine")
    assert cache_folder() == Path("mine")
    monkeypatch.delenv("TINYGAN_CACHE")
    assert cache_folder() == Path("caches/tinygan")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "tinygan"
    assert locate("weights/x.bin", "torch") == "weights/x.bin"


def test_the_table_is_consistent() -> None:
    assert len({asset.path for asset in ASSETS.values()}) == len(ASSETS)
    for asset in ASSETS.values():
        assert asset.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", asset.sha256)
        assert asset.git_blob is None or re.fullmatch(r"[0-9a-f]{40}", asset.git_blob)
        assert (asset.kind == "model") == (asset.importer is not None)
        assert all(re.match(r"https?://", address) for address in asset.addresses)
