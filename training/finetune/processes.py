"""The processes that train together: one alone, or as many as torch's launcher has begun.

torchrun --nproc-per-node 8 $(which flashback) train joint --config joint.yaml

Each holds the whole network, and gradients are averaged (DDP); or the weights lie in parts on all of
them, and a layer is gathered while it is computed (FSDP2, https://arxiv.org/abs/2304.11277).
"""

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from training.errors import BadData


@dataclass(frozen=True, slots=True)
class Processes:
    """Where this process stands among those that train together.

    Attributes:
        rank: Its number.
        count: How many there are.
        device: What it computes on.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the one that writes files and reports."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """Return `module` so that its gradients are the mean over all processes."""
        module = module.to(self.device)
        if self.count == 1:
            return module
        # Text has no pixels: not every parameter takes part in every step.
        return DistributedDataParallel(module, find_unused_parameters=True)

    def shard(self, module: nn.Module, parts: Sequence[nn.Module]) -> nn.Module:
        """Return `module` with every weight in parts on all processes.

        Args:
            module: In main memory.
            parts: Of it, that are gathered one by one; the rest is for as long as it is run.
        """
        mesh = init_device_mesh(self.device.type, (self.count,))
        for part in parts:
            fully_shard(part, mesh=mesh)
        fully_shard(module, mesh=mesh)
        return module

    def gather(self, value: Tensor) -> Tensor:
        """Return a tensor in main memory, put together if it lies in parts; all must call this.

        Only the first process gets the numbers.
        """
        if isinstance(value, DTensor):
            whole = value.full_tensor()
            value = whole if self.first else whole.new_empty(0)
        return value.detach().cpu()

    def most(self, count: int) -> int:
        """Return the largest `count` of all processes."""
        if self.count == 1:
            return count
        largest = torch.tensor(count, device=self.device)
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest)

    def without_exchange(self, module: nn.Module) -> contextlib.AbstractContextManager[None]:
        """Keep gradients in this process, for all but the last example of a step."""
        if isinstance(module, DistributedDataParallel):
            found: contextlib.AbstractContextManager[None] = module.no_sync()
            return found
        return contextlib.nullcontext()

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of `values` over all processes."""
        if self.count > 1:
            values = values.to(self.device)
            dist.all_reduce(values)
        return values.cpu()

    def counted(self, values: Counter[str]) -> Counter[str]:
        """Return what all processes have counted; all must call this."""
        if self.count == 1:
            return values
        found: list[Counter[str]] = [Counter()] * self.count
        dist.all_gather_object(found, values)
        return sum(found, Counter())

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.count > 1:
            dist.barrier()


def like(whole: Tensor, parameter: Tensor) -> Tensor:
    """Return `whole` as `parameter` lies: in parts, if that does and is of one shape with it."""
    if isinstance(parameter, DTensor) and whole.shape == parameter.shape:
        return distribute_tensor(
            whole.to(parameter.device), parameter.device_mesh, parameter.placements
        )
    return whole


def _is_of_another(error: RuntimeError) -> bool:
    """Say whether an exchange failed; between processors that is an error of no class of its own."""
    return isinstance(error, dist.DistError) or "gloo" in str(error)


@contextlib.contextmanager
def processes() -> Iterator[Processes]:
    """Join the processes that torch's launcher has begun; alone without it.

    Raises:
        BadData: If another process ends, or does not answer.
        RuntimeError: If anything else fails.
    """
    count, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if count == 1:
        yield Processes(0, 1, device)
        return
    if cuda:
        torch.cuda.set_device(device)  # what is exchanged lies there, if nothing else is said
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), device)
    except RuntimeError as error:
        if not _is_of_another(error):
            raise
        raise BadData(
            f"another of the {count} processes ended, or does not answer: "
            "the same command goes on from the step that was kept last"
        ) from None
    finally:
        dist.destroy_process_group()
