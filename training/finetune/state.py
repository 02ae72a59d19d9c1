"""What a run keeps on disk: the state it goes on from, and the checkpoint it has become."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch

from model.config import VisionConfig
from model.zoo.hub import locate
from model.zoo.released import TOWERS, from_hub_dict
from model.zoo.weights import Network, build, fill, read_json, shards
from training.errors import BadData
from training.finetune.processes import Processes, like
from training.finetune.recipe import Recipe
from training.finetune.released_layout import write_released
from training.finetune.tuner import Tuner
from training.whole_files import whole_file

STATE, RECIPE = "state.pt", "recipe.json"


def open_network(
    base: Path, recipe: Recipe, towers: Mapping[str, VisionConfig] = TOWERS
) -> Network:
    """Return the checkpoint in `base`, in float32, with the encoder that the recipe asks for."""
    described = dict(read_json(base / "config.json"))
    if recipe.vision_tower:
        described["mm_vision_tower"] = recipe.vision_tower
    network = build(from_hub_dict(described, towers))
    fill(network, shards(base), device=torch.device("cpu"), dtype=torch.float32)
    return network


def keep_state(
    folder: Path,
    done: int,
    broken: Mapping[str, int],
    tuner: Tuner,
    optimizer: torch.optim.Optimizer,
    among: Processes,
) -> None:
    """Write the state; only the first process does, but all must call this if weights are in parts."""
    learned = optimizer.state_dict()
    learned["state"] = {
        number: {name: among.gather(value) for name, value in of_one.items()}
        for number, of_one in learned["state"].items()
    }
    weights = {name: among.gather(p) for name, p in tuner.trained().items()}
    if not among.first:
        return
    state = {"step": done, "weights": weights, "optimizer": learned, "broken": dict(broken)}
    with whole_file(folder / STATE) as partial:
        torch.save(state, partial)


def read_state(
    folder: Path, tuner: Tuner, optimizer: torch.optim.Optimizer
) -> tuple[int, Mapping[str, int]]:
    """Put a kept state into what is trained; return the steps done, and what was broken.

    Raises:
        BadData: If it is of another network.
    """
    state = torch.load(folder / STATE, weights_only=True, map_location="cpu")
    load_trained(tuner, state["weights"])
    params = [p for group in optimizer.param_groups for p in group["params"]]
    for number, of_one in state["optimizer"]["state"].items():
        for name, value in of_one.items():
            of_one[name] = like(value, params[number])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"]), state["broken"]


def load_trained(tuner: Tuner, weights: Mapping[str, torch.Tensor]) -> None:
    """Put kept weights into what is trained.

    Raises:
        BadData: If they are of another network.
    """
    trained = tuner.trained()
    if trained.keys() != weights.keys():
        raise BadData("the state of this run is of another network or another recipe")
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(like(weights[name], parameter))


def network_of(tuner: Tuner) -> Network:
    """Return what is trained as a network."""
    return Network(tuner.config, tuner.vision, tuner.projector, tuner.decoder)


def export(run: Path, folder: Path, towers: Mapping[str, VisionConfig] = TOWERS) -> None:
    """Write what a run has learned so far as a checkpoint; adapters are merged.

    Raises:
        BadData: If the folder holds no run, or it has learned nothing yet.
    """
    if not (run / RECIPE).is_file() or not (run / STATE).is_file():
        raise BadData(f"{run} holds no run that has learned something: there is no {STATE} in it")
    recipe = Recipe(**json.loads((run / RECIPE).read_text(encoding="utf-8")))
    base = locate(recipe.model)
    tuner = Tuner(open_network(base, recipe, towers), recipe)
    load_trained(tuner, torch.load(run / STATE, weights_only=True, map_location="cpu")["weights"])
    write_released(base, network_of(tuner), recipe, folder)
