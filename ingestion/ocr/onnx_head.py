"""A recognizer without its last layer, and that layer: a matrix, a bias and their softmax.

The network knows 18,709 letters, most of them Chinese, and to multiply all of them for each step
over a strip is a quarter of its work. So the network ends before, and numpy multiplies for the
letters that are asked for. An ONNX file is a protobuf message; what is not touched is copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
# Field numbers of onnx.proto: ModelProto, GraphProto, NodeProto, TensorProto.
_GRAPH, _NODE, _TENSOR, _INPUT, _OUTPUT, _SHAPES = 7, 1, 5, 11, 12, 13
_IN, _OUT, _KIND, _NAME, _RAW = 1, 2, 4, 8, 9
_BYTES = 2  # the wire type


@dataclass(frozen=True, slots=True)
class Head:
    """`weights` has a column for each letter."""

    weights: Floats
    bias: Floats

    def only(self, columns: NDArray[np.int64]) -> Head:
        return Head(np.ascontiguousarray(self.weights[:, columns]), self.bias[columns])

    def chances(self, features: Floats) -> Floats:
        """Of each letter, for each row of features."""
        told = features @ self.weights + self.bias
        grown = np.exp(told - told.max(axis=1, keepdims=True))
        return np.asarray(grown / grown.sum(axis=1, keepdims=True))


def without_head(model: bytes) -> tuple[bytes, Head]:
    """Raises `ValueError` where the model ends otherwise."""
    graph = next((body for number, _raw, body in _fields(model) if number == _GRAPH), b"")
    parts = list(_fields(graph))
    tensors = {_text(body, _NAME): body for number, _raw, body in parts if number == _TENSOR}
    nodes = [body for number, _raw, body in parts if number == _NODE]
    product = next((one for one in reversed(nodes) if _text(one, _KIND) == "MatMul"), b"")
    added = next((one for one in reversed(nodes) if _text(one, _KIND) == "Add"), b"")
    inputs, more = _texts(product, _IN), _texts(added, _IN)
    if len(inputs) != 2 or inputs[1] not in tensors or more[0] != _text(product, _OUT):
        raise ValueError("the recognizer does not end in a matrix and a bias")
    bias = _floats(tensors[more[1]])
    head = Head(_floats(tensors[inputs[1]]).reshape(-1, len(bias)), bias)
    gone = {*nodes[nodes.index(product) :], tensors[inputs[1]], tensors[more[1]]}
    told = (_INPUT, _OUTPUT, _SHAPES)
    kept = [raw for number, raw, body in parts if number not in told and body not in gone]
    ends = [_field(_INPUT, _floats_of("x", 4)), _field(_OUTPUT, _floats_of(inputs[0], 3))]
    ended = b"".join([*kept, *ends])
    rest = b"".join(raw for number, raw, _body in _fields(model) if number != _GRAPH)
    return rest + _field(_GRAPH, ended), head


def _floats_of(name: str, dimensions: int) -> bytes:
    """Of whatever size, also of another height than the network was made for."""
    shape = _field(2, _field(1, b"") * dimensions)
    return _field(1, name.encode()) + _field(2, _field(1, b"\x08\x01" + shape))


def _floats(tensor: bytes) -> Floats:
    raw = next(body for number, _raw, body in _fields(tensor) if number == _RAW)
    return np.frombuffer(raw, "<f4")


def _text(message: bytes, wanted: int) -> str:
    return next(iter(_texts(message, wanted)), "")


def _texts(message: bytes, wanted: int) -> list[str]:
    return [body.decode() for number, _raw, body in _fields(message) if number == wanted]


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """`(number, the whole field, its body)`; numbers have no body."""
    at = 0
    while at < len(message):
        start = at
        key, at = _varint(message, at)
        length = {5: 4, 1: 8}.get(key & 7, 0)
        if key & 7 in (0, _BYTES):
            length, at = _varint(message, at)
        if key & 7 == 0:
            length = 0
        at += length
        yield key >> 3, message[start:at], message[at - length : at]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _field(number: int, body: bytes) -> bytes:
    return _number(number << 3 | _BYTES) + _number(len(body)) + body


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
