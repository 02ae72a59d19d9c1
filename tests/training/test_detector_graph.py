"""A published graph is read and run as its format says."""

import base64
import json

import numpy as np
import pytest
import torch

from training.detector.detector_graph import Graph


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def node(name, op, *inputs, **attributes):
    return {"name": name, "op": op, "input": list(inputs), "attr": attributes}


def strided(stride, *fused):
    return {
        "strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}},
        "padding": {"s": encoded("SAME")},
        "fused_ops": {"list": {"s": [encoded(name) for name in fused]}},
    }


@pytest.fixture
def written(tmp_path):
    """Write a graph of nodes and half-precision constants; return where."""

    def write(nodes, more_bytes=b"", **constants):
        manifest = [{"name": k, "shape": list(np.shape(v)), "dtype": "float32", "quantization": {"dtype": "float16"}} for k, v in constants.items()]  # fmt: skip
        nodes = [*nodes, *(node(name, "Const") for name in constants)]
        model = {"modelTopology": {"node": nodes}, "weightsManifest": [{"weights": manifest}]}
        (tmp_path / "model.json").write_text(json.dumps(model))
        data = b"".join(np.asarray(v, np.float16).tobytes() for v in constants.values())
        (tmp_path / "model.bin").write_bytes(data + more_bytes)
        return tmp_path / "model.json"

    return write


def test_a_strided_convolution_pads_an_even_picture_at_its_end(written):
    filter_ = np.zeros((3, 3, 1, 1))
    filter_[0, 0], filter_[2, 2] = 1, 10
    path = written([node("in/x", "Placeholder"), node("y", "Conv2D", "in/x", "w", **strided(2))], w=filter_)  # fmt: skip
    picture = torch.arange(1.0, 17).view(1, 4, 4, 1)
    (y,) = Graph(path).run(["y"], x=picture)
    assert y[0, :, :, 0].tolist() == [[1 + 110, 3], [9, 11]]


def test_bias_and_activation_that_were_fused_into_a_convolution_count(written):
    fused = strided(1, "BiasAdd", "Relu")
    path = written([node("in/x", "Placeholder"), node("y", "_FusedConv2D", "in/x", "w", "b", **fused)], w=np.ones((1, 1, 1, 2)), b=[1, -5])  # fmt: skip
    (y,) = Graph(path).run(["y"], x=torch.full((1, 1, 1, 1), 2.0))
    assert y.flatten().tolist() == [3, 0]


def test_a_larger_map_holds_the_old_values_and_those_between(written):
    path = written([node("in/x", "Placeholder"), node("y", "ResizeBilinear", "in/x", "size")], size=[2, 4])  # fmt: skip
    graph = Graph(path)
    graph.constants["size"] = graph.constants["size"].int()
    (y,) = graph.run(["y"], x=torch.tensor([[1.0, 3.0]]).view(1, 1, 2, 1))
    assert y[0, :, :, 0].tolist() == [[1, 2, 3, 3]] * 2


def test_weights_of_another_length_than_the_graph_says_are_refused(written):
    path = written([], more_bytes=b"??", w=[1, 2, 3])
    with pytest.raises(ValueError, match="describes 6 bytes of weights, there are 8"):
        Graph(path)


def test_an_operation_that_is_not_known_is_named(written):
    path = written([node("in/x", "Placeholder"), node("there", "Softplus", "in/x")])
    with pytest.raises(NotImplementedError, match="there: Softplus"):
        Graph(path).run(["there"], x=torch.zeros(1))
