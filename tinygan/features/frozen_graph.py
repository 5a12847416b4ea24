"""Run a part of a frozen TensorFlow graph in PyTorch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import torch
from torch import Tensor

from tinygan.features.graph_def import Node
from tinygan.features.tf_operations import Operation, operation


@dataclass(frozen=True)
class Step:
    """One operation: its node, its inputs, and the values that no later step needs."""

    name: str
    run: Operation
    inputs: list[str]
    finished: list[str]


class FrozenGraph:
    """The part of a graph between an input and some outputs, as a function of tensors.

    Args:
        nodes: the graph, see `tinygan.features.graph_def.read_nodes`.
        source: the tensor to feed, as ``name:0``.
        targets: the tensors to return, likewise.
        device: where to run.

    Raises:
        ValueError: one of these tensors is not in the graph, the targets do not depend on the
            source, the graph is damaged, or it has an operation that PyTorch cannot run here.
    """

    def __init__(
        self, nodes: Mapping[str, Node], source: str, targets: Iterable[str], device: torch.device
    ) -> None:
        self._source, *self._targets = map(_node_name, (source, *targets))
        inputs = _inputs(nodes, self._source, self._targets)
        last_user = {name: user for user in inputs for name in inputs[user]}
        self._constants: dict[str, Tensor] = {}
        self._steps: list[Step] = []
        for name, used in inputs.items():
            if nodes[name].op == "Const":
                self._constants[name] = _constant(nodes[name], device)
            elif name != self._source:
                finished = [i for i in {*used} - {*self._targets} if last_user[i] == name]
                self._steps.append(Step(name, operation(nodes[name]), used, finished))

    def __call__(self, x: Tensor) -> list[Tensor]:
        """Return the targets for the source x, [N, H, W, C] for images."""
        values = {self._source: x, **self._constants}
        for step in self._steps:
            values[step.name] = step.run(*(values[name] for name in step.inputs))
            for name in step.finished:
                del values[name]
        return [values[name] for name in self._targets]


def _inputs(nodes: Mapping[str, Node], source: str, targets: list[str]) -> dict[str, list[str]]:
    """Return the inputs of each node that the targets need, in an order in which they can run."""
    inputs: dict[str, list[str]] = {}
    waiting = [source, *targets]
    while waiting:
        name = waiting.pop()
        if name not in nodes:
            raise ValueError(f"not the Inception graph (it has no node {name})")
        if name not in inputs:
            used = nodes[name].inputs if name != source else ()
            # ^name only has to run before, as checks do; its value is not used.
            inputs[name] = [_node_name(tensor) for tensor in used if not tensor.startswith("^")]
            waiting += inputs[name]
    if not any(source in used for used in inputs.values()):
        raise ValueError(f"not the Inception graph (no output depends on {source})")
    try:
        return {name: inputs[name] for name in TopologicalSorter(inputs).static_order()}
    except CycleError as error:
        raise ValueError(f"the graph has a cycle through {error.args[1][0]}") from error


def _node_name(tensor: str) -> str:
    """Return the node of a tensor, given as ``name`` or ``name:0``."""
    name, _, output = tensor.partition(":")
    if output not in ("", "0"):
        raise ValueError(f"{tensor} is not the first output of its node")
    return name


def _constant(node: Node, device: torch.device) -> Tensor:
    """Return a constant: floats on the device; shapes and axes, which are integers, on the CPU."""
    value = torch.tensor(node.tensor())
    if not value.is_floating_point():
        return value
    if value.dim() == 4:
        # Filters [h, w, I, O], in memory as PyTorch's kernels want them: channels-last.
        filters = value.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        value = filters.permute(2, 3, 1, 0)
    return value.to(device)
