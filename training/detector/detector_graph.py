"""Runs the detector's published TensorFlow.js graph node by node: slowly, and rightly.

It is what `model/vision/networks/detector.py` is held against, so the two share no line. Format:
https://www.tensorflow.org/js/guide/conversion. Only the operations of that one graph are known.
"""

import base64
import json
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, pad

Node = dict[str, Any]


class Graph:
    """A graph model read from `NAME.json` and its weights beside it.

    Args:
        path: The `.json`; the weights are expected in one `.bin` of the same name.

    Raises:
        ValueError: If the weights are shorter or longer than the graph says.
    """

    def __init__(self, path: Path) -> None:
        model = json.loads(path.read_text())
        self.nodes: dict[str, Node] = {n["name"]: n for n in model["modelTopology"]["node"]}
        self.constants: dict[str, Tensor] = {}
        data, at = path.with_suffix(".bin").read_bytes(), 0
        for entry in model["weightsManifest"][0]["weights"]:
            stored = entry.get("quantization", {}).get("dtype", entry["dtype"])
            array = np.frombuffer(data, stored, prod(entry["shape"]), at)
            at += array.nbytes
            values = array.astype(entry["dtype"]).reshape(entry["shape"])
            self.constants[entry["name"]] = torch.from_numpy(values)
        if at != len(data):
            raise ValueError(f"the graph describes {at} bytes of weights, there are {len(data)}")

    def parameters(self, name: str) -> list[Tensor]:
        """Return the constants that go into a node: of a convolution its weight and bias."""
        return [self.constants[i] for i in self.nodes[name]["input"] if i in self.constants]

    @torch.inference_mode()
    def run(self, outputs: Sequence[str], **inputs: Tensor) -> list[Tensor]:
        """Return what the named nodes compute, channels last.

        Args:
            outputs: Names of nodes.
            inputs: Values by the last part of their node's name.

        Raises:
            NotImplementedError: If an output needs an operation that is not known here.
        """
        values = dict(self.constants)
        values |= {n: inputs[n.split("/")[-1]] for n in self.nodes if n.split("/")[-1] in inputs}
        for name, node in self._in_order(outputs, set(values)):
            if node["op"] not in _OPERATIONS:
                raise NotImplementedError(f"{name}: {node['op']}")
            values[name] = _OPERATIONS[node["op"]](node, *(values[i] for i in node["input"]))
        return [values[name] for name in outputs]

    def _in_order(self, outputs: Sequence[str], known: set[str]) -> list[tuple[str, Node]]:
        """Return the nodes that the outputs need, each after those it needs itself."""
        order: list[tuple[str, Node]] = []
        waiting = list(reversed(outputs))
        while waiting:
            name = waiting[-1]
            lacking = [i for i in self.nodes[name]["input"] if i not in known]
            if not lacking:
                if name not in known:
                    order.append((name, self.nodes[name]))
                    known.add(name)
                waiting.pop()
            waiting += reversed(lacking)
        return order


def _text(attribute: str) -> str:
    return base64.b64decode(attribute).decode()


def _convolve(node: Node, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    attributes = node["attr"]
    stride = int(attributes["strides"]["list"]["i"][1])
    kernel, groups = weight.shape[0], 1
    weight = weight.permute(3, 2, 0, 1)
    if "Depthwise" in node["op"]:
        weight, groups = weight.transpose(0, 1), weight.shape[1]
    x = x.permute(0, 3, 1, 2)
    if _text(attributes["padding"]["s"]) == "SAME":
        margins = [max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in (x.shape[3], x.shape[2])]  # fmt: skip
        x = pad(x, [part for m in margins for part in (m // 2, m - m // 2)])
    y = conv2d(x, weight, bias, stride, groups=groups).permute(0, 2, 3, 1)
    fused = attributes.get("fused_ops", {}).get("list", {}).get("s", [])
    return y.relu() if "Relu" in map(_text, fused) else y


def _resize(node: Node, x: Tensor, size: Tensor) -> Float[Tensor, "n y x c"]:
    """Return a larger map: cell i of the new lies at i / growth of the old, between two cells."""
    for axis, length in zip((1, 2), size.tolist(), strict=True):
        where = torch.arange(length, dtype=torch.float32) * (x.shape[axis] / length)
        before = where.floor().long()
        after = (before + 1).clamp(max=x.shape[axis] - 1)
        part = (where - before).view([-1 if axis == d else 1 for d in range(4)])
        x = x.index_select(axis, before) * (1 - part) + x.index_select(axis, after) * part
    return x


_OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "_FusedConv2D": _convolve,
    "Conv2D": _convolve,
    "FusedDepthwiseConv2dNative": _convolve,
    "DepthwiseConv2dNative": _convolve,
    "ResizeBilinear": _resize,
    "Mul": lambda _, x, y: x * y,
    "Add": lambda _, x, y: x + y,
    "Relu6": lambda _, x: x.clamp(0, 6),
    "Relu": lambda _, x: x.relu(),
    "Sigmoid": lambda _, x: x.sigmoid(),
    "Identity": lambda _, x: x,
    "Mean": lambda _, x, axes: x.mean(axes.tolist(), keepdim=True),
    "ConcatV2": lambda _, *parts: torch.cat(parts[:-1], int(parts[-1])),
}
