"""Makes the detector's weights of the published graph, and the values our network is held against.

Run once by the developers, on the files of the npm package `@vladmandic/human` 3.3.6:

    python -m training.detector.convert_detector package/models/centernet.json

Batch normalisation is folded in already; the graph keeps its weights in half precision, and so do
we. It keeps the 1/6 of hard swish so as well, 0.02 % too small; our network takes a sixth.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import torch
import typer
from jaxtyping import UInt8
from safetensors.torch import save_file
from torch import Tensor

from model.vision.networks.detector import BLOCKS, WEIGHTS, MobileNetBlock
from training.detector.detector_graph import Graph

GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "detector.safetensors"
_SIXTH = torch.tensor(1 / 6).half().float()
_NORMED, _FILTER = "BatchNorm/FusedBatchNorm", "separable_conv2d/depthwise"


def made_up_picture() -> UInt8[Tensor, "1 3 512 512"]:
    """Return a picture that is the same on every machine: waves, coarse to fine, in three colours."""
    line = torch.arange(512)
    rows, columns = line[:, None], line
    waves = [(rows * rows // a + columns * b + rows * columns // c) % 256 for a, b, c in ((90, 1, 300), (150, 3, 500), (400, 2, 150))]  # fmt: skip
    return torch.stack(waves).to(torch.uint8)[None]


def convolutions() -> Iterator[tuple[str, str]]:
    """Yield our name of every convolution, and its node in the graph."""
    yield "stem", f"MobilenetV3/Conv/{_NORMED}"
    for number, block in enumerate(BLOCKS):
        theirs = "MobilenetV3/expanded_conv" + (f"_{number}" if number else "")
        yield from ((f"blocks.{number}.{a}", f"{theirs}/{b}") for a, b in _of_block(block))
    yield "last", f"extern1/{_NORMED}"
    for ours, coarse, fine in (("coarse", 5, 4), ("middle", 4, 3), ("fine", 3, 2)):
        for part, theirs in (
            ("small", f"c{coarse}_upsample/branch_x_upsample_resize"),
            ("large", f"c{coarse}_upsample/branch_y_upsample_resize"),
            ("lateral", f"c{fine}_reverse/3x3"),
        ):
            yield f"{ours}.{part}.depthwise", f"CenternetHead/{theirs}/{_FILTER}"
            yield f"{ours}.{part}.pointwise", f"CenternetHead/{theirs}/{_NORMED}"
        yield f"{ours}.squeeze", f"CenternetHead/c{fine}_reverse/1x1/Relu"
    yield "excite.down", "CenternetHead/conv1x1_se_a/Relu"
    yield "excite.up", "CenternetHead/conv1x1_se_b/Conv2D"
    for ours, theirs in (("heat", "cls"), ("sizes", "wh")):
        yield f"{ours}.depthwise", f"CenternetHead/centernet_{theirs}_output/{_FILTER}"
        yield f"{ours}.pointwise", f"CenternetHead/centernet_{theirs}_output/BiasAdd"


def _of_block(block: MobileNetBlock) -> Iterator[tuple[str, str]]:
    if block.wide > block.inputs:
        yield "expand", f"expand/{_NORMED if block.swish else 'Relu'}"
    yield "depthwise", "depthwise/depthwise"
    if block.squeezed:
        yield "excite.down", "squeeze_excite/Conv/Relu"
        yield "excite.up", "squeeze_excite/Conv_1/BiasAdd"
    yield "narrow", f"project/{_NORMED}"


def converted(graph: Graph) -> dict[str, Tensor]:
    """Return the graph's weights under our names; a convolution without a bias gets one of zeros."""
    tensors = {}
    for ours, theirs in convolutions():
        weight, *bias = graph.parameters(f"tower_0/{theirs}")
        # Theirs is height, width, in, out; of a depthwise filter height, width, channel, 1.
        order = (2, 3, 0, 1) if ours.endswith("depthwise") else (3, 2, 0, 1)
        weight = weight.permute(order).contiguous()
        tensors[f"{ours}.weight"] = weight.half()
        tensors[f"{ours}.bias"] = bias[0].half() if bias else torch.zeros(len(weight)).half()
    return tensors


def golden(graph: Graph) -> dict[str, Tensor]:
    """Return some of what the graph says of `made_up_picture`, as it is and with true sixths."""
    frames = made_up_picture().float().permute(0, 2, 3, 1)
    values = {}
    for name in ("published", "exact"):
        heat, sizes = graph.run(("tower_0/keypoints", "tower_0/wh"), images=frames)
        values[f"{name}.heat"] = heat[0, 3::16, 3::16].permute(2, 0, 1).contiguous()
        values[f"{name}.sizes"] = sizes[0, 3::16, 3::16].permute(2, 0, 1).contiguous()
        for constant in graph.constants.values():
            if constant.shape == () and constant == _SIXTH:
                constant.fill_(1 / 6)
    return values


def main(
    model: Annotated[Path, typer.Argument(help="centernet.json; centernet.bin lies beside it.")],
) -> None:
    """Write the detector's weights, and the golden values for the tests."""
    graph = Graph(model)
    save_file(converted(graph), WEIGHTS)
    digest = sha256(WEIGHTS.read_bytes()).hexdigest()
    save_file(golden(graph), GOLDEN, metadata={"weights": digest})
    typer.echo(f"{WEIGHTS}: {WEIGHTS.stat().st_size} bytes, SHA-256 {digest}")


if __name__ == "__main__":
    typer.run(main)
