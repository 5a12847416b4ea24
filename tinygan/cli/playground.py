"""Subcommands that build the playground, where a student draws in the browser, and serve it."""

from pathlib import Path

from tinygan.cli.options import FOLDER, Arguments, Config, Subcommand
from tinygan.code import ROOT
from tinygan.playground.files import RUNTIME_FOLDER


def _playground(config: Config, arguments: Arguments) -> None:
    """Build the playground: a static folder with a page, exported students and teacher's images."""
    from tinygan.playground.build import build

    build(
        arguments.results,
        arguments.variants,
        arguments.out,
        classes=config["classes"],
        seed=config["seed"],
        runtime=arguments.runtime,
    )


def _play(_: Config, arguments: Arguments) -> None:
    """Serve the playground to browsers on this machine, until Ctrl-C.

    `make playground` builds it. Nothing but the files of the folder is served, on 127.0.0.1 alone.
    """
    from tinygan.playground.serve import open_server

    if not 0 <= arguments.port <= 65535:
        raise ValueError(f"--port {arguments.port}: it must be from 0 to 65535")
    with open_server(arguments.folder, arguments.port) as server:
        host, port = server.server_address
        print(f"http://{host}:{port}/  (Ctrl-C ends)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


SUBCOMMANDS: dict[str, Subcommand] = {
    "playground": (
        _playground,
        {
            "--results": FOLDER | {"help": "the run's folder, such as results/mini"},
            "--variants": {
                "nargs": "+",
                "required": True,
                "metavar": "NAME",
                "help": "exported variants, such as dw",
            },
            "--runtime": {
                "type": Path,
                "default": ROOT / RUNTIME_FOLDER,
                "metavar": "FOLDER",
                "help": "with onnxruntime-web (default: where `make playground` installs it)",
            },
        },
    ),
}
STANDALONE: dict[str, Subcommand] = {
    "play": (
        _play,
        {
            "--folder": {
                "type": Path,
                "default": Path("results/mini/playground"),
                "metavar": "FOLDER",
                "help": "a playground (default: results/mini/playground)",
            },
            "--port": {
                "type": int,
                "default": 8000,
                "metavar": "N",
                "help": "0: any free one (default: 8000)",
            },
        },
    ),
}
