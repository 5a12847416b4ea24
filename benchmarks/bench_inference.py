"""The time of generators per image on one thread, and where it goes.

    python benchmarks/bench_inference.py [--side 32] [--variants dw std std_half] [--teacher]

Each variant, with random weights, is run by PyTorch (eager; its activations are channels-last), and
as ONNX files in float32 and int8 by ONNX Runtime. All are called in turn, so that a busy machine
slows down all alike, and times are those of the processor. --side 32 is the size of `mini`, 128
that of the paper, where all calls take half an hour: --calls 10 --passes 2 is enough for the
ratios. The mini teacher, its TF-Hub module in TensorFlow, runs in a process of its own and only at
32 px.

Then PyTorch's operations are timed one by one and summed by kind: with the floating-point
operations and the bytes that each has to read and write, and the rate that it reaches.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BATCHES = (1, 64)
# The paper's sizes, where they differ from those of config.yaml.
PAPER = {"channels": 32, "embedding": 128, "image_channels": 3}
PAPER_CHANNELS = {"std_half": 16}


def build(variant: str, side: int) -> tuple[Any, int, int]:
    """Return a generator with random weights, the length of its z and its number of classes."""
    import torch

    from tinygan.config.derived import resolve_variant
    from tinygan.models.students import build_student
    from tinygan.planning.run import load

    config = resolve_variant(load(ROOT / "config.yaml"), variant)
    shape = {key: config["student"][key] for key in ("architecture", "channels", "embedding")}
    shape["image_channels"] = 1
    if side == 128:
        shape |= PAPER | {"channels": PAPER_CHANNELS.get(variant, PAPER["channels"])}
    classes, z_dim = len(config["classes"]), config["z_dim"]
    network = build_student(**shape, classes=classes, image_size=side, z_dim=z_dim)
    return network.eval().to(memory_format=torch.channels_last), z_dim, classes


def compare(arguments: argparse.Namespace) -> None:
    """Print the times per image of all variants in all runtimes."""
    import torch

    from tinygan.evaluation.speed import per_image, time_calls
    from tinygan.export.graph import to_onnx
    from tinygan.export.int8 import to_int8

    generators: dict[tuple[str, str], Callable] = {}
    for variant in arguments.variants:
        network, z_dim, classes = build(variant, arguments.side)
        graph = to_onnx(network, z_dim=z_dim, classes=classes)
        z, y = torch.randn(50, z_dim), torch.eye(classes)[torch.arange(50) % classes]
        generators[variant, "PyTorch"] = network
        generators[variant, "ONNX, float32"] = session(graph)
        generators[variant, "ONNX, int8"] = session(to_int8(graph, z.numpy(), y.numpy()))
    times = {}
    for batch in BATCHES:
        z, labels = torch.randn(batch, z_dim), torch.arange(batch) % classes
        inputs = {False: (z, labels), True: (z.numpy(), torch.eye(classes)[labels].numpy())}
        calls = {
            key: lambda run=run, given=inputs[key[1] != "PyTorch"]: run(*given)
            for key, run in generators.items()
        }
        with torch.inference_mode():
            limits = {"min_calls": arguments.calls, "min_seconds": arguments.seconds}
            found = time_calls(calls, **limits)
        for key, durations in found.items():
            times[key, batch] = per_image(durations, batch)["ms_per_image"]
    print("| variant | runtime | ms per image, batch 1 | batch 64 | over std, batch 1 | batch 64 |")
    print("| :-- | :-- | --: | --: | --: | --: |")
    for variant, runtime in generators:
        mine = [times[(variant, runtime), batch] for batch in BATCHES]
        base = [times.get((("std", runtime), batch), float("nan")) for batch in BATCHES]
        ratios = [f"{ms / other:.2f}" for ms, other in zip(mine, base, strict=True)]
        cells = [variant, runtime, *(f"{ms:.2f}" for ms in mine), *ratios]
        print("| " + " | ".join(cells) + " |", flush=True)


def session(graph: Any) -> Callable:
    """Return a function of z and weights of the classes that runs an ONNX graph on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    content = graph.SerializeToString()
    run = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"]).run
    return lambda z, y: run(None, {"z": z, "y": y})


def kind_of(name: str, arguments: tuple) -> str:
    """Return what an operation is, by the name of its overload packet and its arguments."""
    if name == "convolution":
        _, weight, *_, groups = arguments
        if groups > 1:
            return "depthwise 3x3"
        return f"{'pointwise ' if weight.shape[2] == 1 else ''}{weight.shape[2]}x{weight.shape[3]}"
    for part, kind in (("batch_norm", "batch norm"), ("upsample", "upsampling"), ("mm", "linear")):
        if part in name:
            return kind
    return "elementwise"


def break_down(arguments: argparse.Namespace) -> None:
    """Print, for each variant and batch size, what each kind of operation takes in PyTorch."""
    import torch
    from bench_roofline import bytes_touched, floating_point_operations
    from torch.utils._python_dispatch import TorchDispatchMode

    class Timed(TorchDispatchMode):
        """Sums calls, seconds, FLOPs and bytes by kind of operation."""

        def __init__(self) -> None:
            super().__init__()
            self.sums: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0, 0])

        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            started = time.process_time()
            result = operation(*args, **(kwargs or {}))
            seconds = time.process_time() - started
            if not operation.is_view:
                packet = operation._overloadpacket
                sums = self.sums[kind_of(packet.__name__, args)]
                flops = floating_point_operations(packet, args, kwargs or {}, result)
                for i, value in enumerate((1, seconds, flops, bytes_touched((args, result)))):
                    sums[i] += value
            return result

    for batch in BATCHES:
        print(f"\nPyTorch, batch {batch}\n")
        print("| variant | kind | calls | MFLOP | MB | FLOP per byte | ms | share | GFLOP/s |")
        print("| :-- | :-- | --: | --: | --: | --: | --: | --: | --: |")
        for variant in arguments.variants:
            network, z_dim, classes = build(variant, arguments.side)
            z, y = torch.randn(batch, z_dim), torch.arange(batch) % classes
            passes = []
            with torch.no_grad():
                for _ in range(arguments.passes + 3):
                    with Timed() as timed:
                        network(z, y)
                    passes.append(timed.sums)
            medians = {
                kind: [statistics.median(sums[kind][i] for sums in passes[3:]) for i in range(4)]
                for kind in passes[0]
            }
            total = sum(seconds for _, seconds, *_ in medians.values())
            order = sorted(medians.items(), key=lambda item: -item[1][1])
            for kind, (calls, seconds, flops, touched) in order:
                rate = f"{flops / seconds / 1e9:.1f}" if flops else "–"
                cells = [f"{flops / batch / 1e6:.2f}", f"{touched / batch / 1e6:.2f}"]
                cells += [f"{flops / touched:.1f}" if flops else "–"]
                cells += [f"{1e3 * seconds / batch:.3f}", f"{seconds / total:.0%}", rate]
                print(f"| {variant} | {kind} | {calls:.0f} |", " | ".join(cells), "|", flush=True)


def time_teacher(seconds: float) -> dict[int, float]:
    """Return the mini teacher's milliseconds per image by batch size; TensorFlow, one thread."""
    import numpy as np

    from tinygan.runtime import quiet_tensorflow

    quiet_tensorflow()
    from tinygan.teacher.tfhub import load_teacher

    handle = str(ROOT / "resources" / "mini_teacher")
    teacher = load_teacher(handle, classes=10, z_dim=128, image_size=32, threads=1)
    found = {}
    for batch in BATCHES:
        z = np.random.default_rng(0).standard_normal((batch, 128), dtype=np.float32).clip(-2, 2)
        labels, durations = np.arange(batch) % 10, []
        while len(durations) < 12 or sum(durations) < seconds:
            started = time.process_time()
            teacher(0.8 * z, labels, 0.8)
            durations.append(time.process_time() - started)
        found[batch] = 1e3 * statistics.median(durations[2:]) / batch
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--side", type=int, choices=[32, 128], default=32, help="image size in px (default: 32)"
    )
    names = ["std", "std_half", "dw"]
    parser.add_argument(
        "--variants", nargs="+", metavar="NAME", default=names, help="default: std std_half dw"
    )
    parser.add_argument(
        "--calls", type=int, default=50, help="least calls per generator and batch (default: 50)"
    )
    parser.add_argument(
        "--seconds", type=float, default=2, help="least time per generator and batch (default: 2)"
    )
    parser.add_argument(
        "--passes", type=int, default=15, help="timed passes of the break-down (default: 15)"
    )
    parser.add_argument("--teacher", action="store_true", help="time the mini teacher alone")
    arguments = parser.parse_args()
    if arguments.teacher:
        print(json.dumps(time_teacher(arguments.seconds)))
        return
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"{arguments.side} px, one thread, PyTorch {torch.__version__}\n")
    compare(arguments)
    if arguments.side == 32:
        # TensorFlow and PyTorch are never in one process.
        command = [sys.executable, __file__, "--teacher", "--seconds", str(arguments.seconds)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            print("\nThe teacher is not timed: TensorFlow is not installed, or failed.")
        else:
            times = json.loads(done.stdout.splitlines()[-1])
            cells = " | ".join(f"{ms:.2f}" for ms in times.values())
            print(f"| mini teacher | TensorFlow | {cells} | – | – |")
    break_down(arguments)


if __name__ == "__main__":
    main()
