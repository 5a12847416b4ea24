"""The reader of frozen graphs, on messages that are encoded here by hand.

`test_inception_torch.py` reads what TensorFlow itself has written.
"""

import random
import struct

import numpy as np
import pytest
import torch

from tinygan.features.frozen_graph import FrozenGraph
from tinygan.features.graph_def import Node, read_nodes

FLOAT, INT32, INT64, STRING = 1, 3, 9, 7


def varint(value: int) -> bytes:
    value %= 1 << 64
    data = b""
    while value >= 0x80:
        data, value = data + bytes([value & 0x7F | 0x80]), value >> 7
    return data + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(content)) + content


def float32(field: int, value: float) -> bytes:
    return varint(field << 3 | 5) + struct.pack("<f", value)


def node(name: str, op: str, *inputs: str, **attributes: bytes) -> bytes:
    fields = [message(1, name.encode()), message(2, op.encode())]
    fields += [message(3, value.encode()) for value in inputs]
    entries = ([message(1, key.encode()), message(2, v)] for key, v in attributes.items())
    return message(1, *fields, *(message(5, *entry) for entry in entries))


def constant(name: str, dtype: int, shape: tuple[int, ...], *values: bytes) -> bytes:
    dimensions = [message(2, number(1, size)) for size in shape]
    return node(name, "Const", value=message(8, number(1, dtype), message(2, *dimensions), *values))


def read(content: bytes) -> Node:
    (found,) = read_nodes(content).values()
    return found


def test_a_node_is_read_with_its_attributes():
    strides = message(3, varint(1), varint(300), varint(-1))
    found = read(
        node(
            "conv/Conv2D",
            "Conv2D",
            "Mul",
            "^check",
            padding=message(2, b"SAME"),
            packed=message(1, strides),
            unpacked=message(1, number(3, 7), number(3, -2)),
            empty=message(1),
            epsilon=float32(4, 0.25),
            on=number(5, 1),
            off=number(5, 0),
        )
        + number(4, 21)  # the versions of the graph, which are skipped
    )
    assert (found.name, found.op, found.inputs) == ("conv/Conv2D", "Conv2D", ("Mul", "^check"))
    assert found.text("padding", "") == "SAME" and found.text("none", "VALID") == "VALID"
    assert found.integers("packed") == [1, 300, -1] and found.integers("unpacked") == [7, -2]
    assert found.integers("empty") == []
    assert found.number("epsilon", 1) == 0.25 and found.number("none", 0.5) == 0.5
    assert found.flag("on", False) is True and found.flag("off", True) is False
    for key in ("none", "padding"):
        with pytest.raises(ValueError, match=f"no attribute {key} of the expected type"):
            found.integers(key)


@pytest.mark.parametrize(
    ("dtype", "shape", "values", "expected"),
    [
        (FLOAT, (2,), [message(4, struct.pack("<2f", 1.5, -2))], [1.5, -2]),
        (FLOAT, (2, 2), [message(5, struct.pack("<4f", 1, 2, 3, 4))], [[1, 2], [3, 4]]),
        (FLOAT, (3,), [float32(5, 0.5)], [0.5, 0.5, 0.5]),  # the last value is repeated
        (FLOAT, (2,), [], [0, 0]),
        (FLOAT, (), [float32(5, 3)], 3),
        (INT32, (3,), [message(7, varint(-1), varint(2048))], [-1, 2048, 2048]),
        (INT32, (), [number(7, 3)], 3),
        (INT32, (2,), [message(4, struct.pack("<2i", -1, 5))], [-1, 5]),
        (INT64, (2,), [message(10, varint(1 << 40), varint(-3))], [1 << 40, -3]),
    ],
)
def test_constants_are_read_in_each_of_their_encodings(dtype, shape, values, expected):
    found = read(constant("c", dtype, shape, *values)).tensor()
    np.testing.assert_array_equal(found, expected)
    assert found.shape == shape
    assert found.dtype == {FLOAT: np.float32, INT32: np.int32, INT64: np.int64}[dtype]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it has no nodes"),
        (number(4, 21), "it has no nodes"),
        (node("a", "Identity")[:-1], "it is cut off"),
        (b"\x0a", "it is cut off"),
        (b"\x0b", "it has the wire type 3"),
        (b"\xff" * 11, "it has an integer of more than 64 bits"),
        (number(1, 5), "it has a number where bytes belong"),
        (message(1, number(1, 5)), "it has a number where bytes belong"),
        (message(1, message(1, b"a")), "a node has no name or no operation"),
        (message(1, message(1, b"\xff")), "codec can't decode"),
    ],
)
def test_what_is_no_graph_is_refused(content, problem):
    with pytest.raises(ValueError, match=rf"not a frozen TensorFlow graph \(.*{problem}"):
        read_nodes(content)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (constant("c", STRING, ()), "its element type is 7"),
        (constant("c", FLOAT, (3,), message(4, bytes(8))), "cannot reshape"),
        (constant("c", INT32, (1,), number(7, 1 << 40)), "int32"),
        (constant("c", FLOAT, (1 << 62,)), "too big"),
        (node("c", "Const"), "no attribute value"),
    ],
)
def test_damaged_constants_are_refused(content, problem):
    with pytest.raises(ValueError, match=rf"cannot read the constant c \(.*{problem}"):
        read(content).tensor()


def graph() -> bytes:
    """Mul [N, 5, 5, 2] -> a convolution and a check -> pool_3; pool_3 + 1 -> logits."""
    strides, same = message(1, message(3, b"\x01\x02\x02\x01")), message(2, b"SAME")
    return b"".join(
        [
            node("Mul", "Placeholder"),
            constant("filters", FLOAT, (1, 1, 2, 3), message(4, struct.pack("<6f", *range(6)))),
            node("conv", "Conv2D", "Mul", "filters", strides=strides, padding=same),
            node("check", "CheckNumerics", "conv:0"),
            node("pool_3", "Identity", "conv", "^check"),
            constant("one", FLOAT, (), float32(5, 1)),
            node("logits", "Add", "pool_3", "one"),
        ]
    )


def open_graph(content: bytes) -> FrozenGraph:
    targets = ["pool_3:0", "logits:0"]
    return FrozenGraph(read_nodes(content), "Mul:0", targets, torch.device("cpu"))


def test_a_graph_runs():
    x = torch.arange(50.0).reshape(1, 5, 5, 2)
    pooled, logits = open_graph(graph())(x)
    expected = x[:, ::2, ::2] @ torch.arange(6.0).reshape(2, 3)
    torch.testing.assert_close(pooled, expected)
    torch.testing.assert_close(logits, expected + 1)


def test_a_cycle_is_refused():
    content = graph() + node("logits", "Add", "pool_3", "logits")
    with pytest.raises(ValueError, match="the graph has a cycle through logits"):
        open_graph(content)


def test_every_damage_is_a_value_error():
    content, rng, refused = graph(), random.Random(0), 0
    cut = [content[:size] for size in range(len(content))]
    for _ in range(1000):
        flipped = bytearray(content)
        flipped[rng.randrange(len(content))] = rng.randrange(256)
        cut.append(bytes(flipped))
    for damaged in cut:
        try:
            open_graph(damaged)
        except ValueError:
            refused += 1
    assert refused > len(cut) // 2
