"""Read a serialised TensorFlow GraphDef without TensorFlow or the package protobuf.

PyTorch's environment has neither, and a frozen graph needs little of the format: a message is a
sequence of fields, each a number, a wire type and a value
(https://protobuf.dev/programming-guides/encoding). The field numbers below are those of
TensorFlow's graph.proto, node_def.proto, attr_value.proto, tensor.proto and tensor_shape.proto.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
_FIXED = {_FIXED64: 8, _FIXED32: 4}  # bytes
_GRAPH_NODE = 1
_NODE_NAME, _NODE_OP, _NODE_INPUT, _NODE_ATTRIBUTE = 1, 2, 3, 5
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_LIST, _STRING, _INTEGER, _FLOAT, _BOOLEAN, _TENSOR = 1, 2, 3, 4, 5, 8  # of an attribute
_LIST_INTEGERS = 3
_TENSOR_DTYPE, _TENSOR_SHAPE, _TENSOR_CONTENT = 1, 2, 4
_SHAPE_DIMENSION, _DIMENSION_SIZE = 2, 1
# Of the element types that a frozen network has: the NumPy type, and the field of single values.
_DTYPES = {1: ("<f4", 5), 3: ("<i4", 7), 9: ("<i8", 10)}

Value = int | bytes | memoryview


@dataclass(frozen=True)
class Node:
    """An operation of the graph.

    Attributes:
        name: its name, unique in the graph.
        op: the name of the operation, e.g. ``Conv2D``.
        inputs: its inputs as ``name``, ``name:output``, or ``^name`` for one that only runs before.
        attributes: the serialised attributes, which the methods decode. Each raises ValueError if
            the attribute is damaged, of another type, or absent where there is no default.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: dict[str, Value] = field(repr=False)

    def text(self, key: str, default: str) -> str:
        """Return an attribute that is a string."""
        return _text(self._value(key, _STRING)) if key in self.attributes else default

    def number(self, key: str, default: float) -> float:
        """Return an attribute that is a float."""
        if key not in self.attributes:
            return default
        return float(np.frombuffer(_bytes(self._value(key, _FLOAT)), "<f4")[0])

    def flag(self, key: str, default: bool) -> bool:
        """Return an attribute that is a boolean."""
        return bool(self._value(key, _BOOLEAN)) if key in self.attributes else default

    def integers(self, key: str) -> list[int]:
        """Return an attribute that is a list of integers."""
        return _integers(self._value(key, _LIST), _LIST_INTEGERS)

    def tensor(self) -> np.ndarray:
        """Return the value of a Const; it shares the memory of the graph."""
        try:
            return _tensor(self._value("value", _TENSOR))
        except (ValueError, OverflowError, MemoryError) as error:
            raise ValueError(f"cannot read the constant {self.name} ({error})") from error

    def _value(self, key: str, kind: int) -> Value:
        for number, value in _fields(self.attributes.get(key, b"")):
            if number == kind:
                return value
        raise ValueError(f"node {self.name} has no attribute {key} of the expected type")


def read_nodes(content: bytes) -> dict[str, Node]:
    """Return the nodes of a serialised GraphDef by name.

    Raises:
        ValueError: it is damaged, or not a GraphDef.
    """
    try:
        nodes = [_node(value) for number, value in _fields(content) if number == _GRAPH_NODE]
    except ValueError as error:
        raise ValueError(f"not a frozen TensorFlow graph ({error})") from error
    if not nodes:
        raise ValueError("not a frozen TensorFlow graph (it has no nodes)")
    return {node.name: node for node in nodes}


def _node(message: Value) -> Node:
    name, op, inputs, attributes = "", "", [], {}
    for number, value in _fields(message):
        if number == _NODE_NAME:
            name = _text(value)
        elif number == _NODE_OP:
            op = _text(value)
        elif number == _NODE_INPUT:
            inputs.append(_text(value))
        elif number == _NODE_ATTRIBUTE:
            entry = dict(_fields(value))
            attributes[_text(entry.get(_ENTRY_KEY, b""))] = entry.get(_ENTRY_VALUE, b"")
    if not (name and op):
        raise ValueError("a node has no name or no operation")
    return Node(name, op, tuple(inputs), attributes)


def _tensor(message: Value) -> np.ndarray:
    fields = dict(_fields(message))
    if fields.get(_TENSOR_DTYPE) not in _DTYPES:
        raise ValueError(f"its element type is {fields.get(_TENSOR_DTYPE)}")
    dtype, values_field = _DTYPES[fields[_TENSOR_DTYPE]]
    dimensions = [v for n, v in _fields(fields.get(_TENSOR_SHAPE, b"")) if n == _SHAPE_DIMENSION]
    shape = [_signed(dict(_fields(dimension)).get(_DIMENSION_SIZE, 0)) for dimension in dimensions]
    if _TENSOR_CONTENT in fields:
        values = np.frombuffer(_bytes(fields[_TENSOR_CONTENT]), dtype)
    elif dtype == "<f4":
        parts = (_bytes(value) for number, value in _fields(message) if number == values_field)
        values = np.frombuffer(b"".join(parts), dtype)
    else:
        values = np.array(_integers(message, values_field), dtype)
    if len(values) < (size := math.prod(shape)) and _TENSOR_CONTENT not in fields:
        # TensorFlow leaves out repetitions of the last value, and zeros altogether.
        last = values[-1:] if len(values) else np.zeros(1, dtype)
        values = np.concatenate([values, last.repeat(size - len(values))])
    return values.reshape(shape)


def _integers(message: Value, wanted: int) -> list[int]:
    """Return the integers of a repeated field, packed or not."""
    found = []
    for number, value in _fields(message):
        if number == wanted and isinstance(value, int):
            found.append(_signed(value))
        elif number == wanted:
            position = 0
            while position < len(value):
                integer, position = _varint(value, position)
                found.append(_signed(integer))
    return found


def _fields(message: Value) -> Iterator[tuple[int, Value]]:
    """Yield the number and the value of each field: an integer, or bytes that are not copied."""
    message, position = _bytes(message), 0
    while position < len(message):
        key, position = _varint(message, position)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, position = _varint(message, position)
        else:
            if wire == _BYTES:
                size, position = _varint(message, position)
            elif wire in _FIXED:
                size = _FIXED[wire]
            else:
                raise ValueError(f"it has the wire type {wire}")
            value, position = message[position : position + size], position + size
            if position > len(message):
                raise ValueError("it is cut off")
        yield number, value


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return the integer at a position, 7 bits per byte, the lowest first; and what follows it."""
    result = 0
    for shift in range(0, 70, 7):
        if position == len(message):
            raise ValueError("it is cut off")
        byte = message[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
    raise ValueError("it has an integer of more than 64 bits")


def _signed(value: Value) -> int:
    """Return the two's complement of 64 bits."""
    if not isinstance(value, int):
        raise ValueError("it has bytes where a number belongs")
    return value - (1 << 64) if value >= 1 << 63 else value


def _bytes(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError("it has a number where bytes belong")
    return memoryview(value)


def _text(value: Value) -> str:
    return bytes(_bytes(value)).decode()
