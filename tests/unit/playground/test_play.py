"""`tinygan play`: what the server answers, refuses and says."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.paths import ROOT

from tinygan.cli import main
from tinygan.playground.serve import open_server

FILES = {
    "index.html": "text/html",
    "app.js": "text/javascript",
    "runtime/ort.mjs": "text/javascript",
    "runtime/ort.wasm": "application/wasm",
    "models/dw/generator_fp32.onnx": "application/octet-stream",
    "data.json": "application/json",
    "teacher/000.png": "image/png",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A playground, and a file beside it."""
    for name in FILES:
        (tmp_path / "playground" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "playground" / name).write_text(f"this is {name}")
    (tmp_path / "secret").write_text("secret")
    return tmp_path / "playground"


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    with open_server(folder, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def get(port: int, path: str) -> tuple[int, bytes, dict[str, str]]:
    """Request a path as it is written: urllib would remove its dots."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, dict(answer.getheaders())


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_its_type(port: int, name: str) -> None:
    status, content, headers = get(port, f"/{name}")
    assert (status, content.decode()) == (200, f"this is {name}")
    assert headers["Content-type"] == FILES[name] and headers["Cache-Control"] == "no-cache"


def test_the_address_alone_is_the_page(port: int) -> None:
    assert get(port, "/")[1] == b"this is index.html" == get(port, "/?a=1")[1]


@pytest.mark.parametrize(
    "path", ["/../secret", "/%2e%2e/secret", "/runtime/../../secret", "//secret", "/..%2fsecret"]
)
def test_nothing_outside_the_folder_is_served(port: int, path: str) -> None:
    status, content, _ = get(port, path)
    assert status == 404 and content != b"secret"


def test_a_link_that_leads_outside_is_not_followed(port: int, folder: Path) -> None:
    (folder / "link").symlink_to("../secret")
    (folder / "up").symlink_to("..")
    (folder / "inside").symlink_to("index.html")
    assert [get(port, path)[0] for path in ("/link", "/up/secret", "/inside")] == [404, 404, 200]


def test_folders_are_not_listed(port: int) -> None:
    status, content, _ = get(port, "/runtime/")
    assert status == 404 and b"ort.mjs" not in content


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--folder", "nowhere"], "nowhere has no index.html: `make playground` builds one"),
        (["--port", "70000"], "--port 70000: it must be from 0 to 65535"),
    ],
)
def test_what_cannot_be_served_is_one_clear_line(words, message, capsys) -> None:
    assert main(["play", *words]) == 1
    assert capsys.readouterr().err == f"tinygan play: {message}\n"


def test_a_busy_port_is_one_clear_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        assert main(["play", "--folder", str(folder), "--port", str(port)]) == 1
    message = f"port {port} is in use: choose another with --port, or 0 for any"
    assert capsys.readouterr().err == f"tinygan play: {message}\n"


def test_it_prints_its_address_and_ctrl_c_ends_it_quietly(folder: Path) -> None:
    play = subprocess.Popen(
        [sys.executable, "-m", "tinygan", "play", "--folder", folder, "--port", "0"],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that a script runs in the background inherit that it is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    address = play.stdout.readline().split()[0]
    assert get(int(address.rstrip("/").rpartition(":")[2]), "/")[0] == 200
    play.send_signal(signal.SIGINT)
    output, error = play.communicate(timeout=120)
    assert (play.returncode, output.strip(), error) == (0, "", "")
