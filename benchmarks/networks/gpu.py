"""The device that a benchmark measures: its clock, its memory, and what it could do at best."""

import statistics
import time
from collections.abc import Callable, Mapping

import torch

_PEAKS: Mapping[str, float] = {
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "H200": 989e12,
    "B200": 2250e12,
    "A100": 312e12,
    "L40S": 362e12,
}
"""Operations a second in bfloat16, dense, as the data sheets say; the first name that fits counts."""
_SIDE_ON_GPU, _SIDE = 8192, 256
"""Rows and columns of the product that shows what is reached at best."""


class Gpu:
    """A graphics card, or in its place the processor, whose memory is not counted.

    Attributes:
        device: Where work runs.
        dtype: The numbers in which it runs.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.dtype = torch.bfloat16 if device.type == "cuda" else torch.float32

    @property
    def name(self) -> str:
        """What it calls itself."""
        return torch.cuda.get_device_name(self.device) if self._counts else "processor"

    @property
    def peak(self) -> float | None:
        """Operations a second by its data sheet; None if that is not known."""
        return next((peak for name, peak in _PEAKS.items() if name in self.name), None)

    def seconds(self, work: Callable[[], object]) -> float:
        """Return how long `work` takes, from an idle device to an idle device."""
        self._wait()
        begun = time.perf_counter()
        work()
        self._wait()
        return time.perf_counter() - begun

    def median(self, work: Callable[[], object], most: float, repeats: int = 9) -> float:
        """Return how long `work` takes, the first time aside.

        Args:
            work: Called at least twice.
            most: Seconds after which it is not begun again.
            repeats: Times it is counted at most.
        """
        spent, times = self.seconds(work), [self.seconds(work)]
        while len(times) < repeats and spent + sum(times) < most:
            times.append(self.seconds(work))
        return statistics.median(times)

    def best(self, most: float) -> float:
        """Return the operations a second that one large product reaches."""
        side = _SIDE_ON_GPU if self._counts else _SIDE
        rows = torch.randn(side, side, device=self.device, dtype=self.dtype)
        return 2 * side**3 / self.median(lambda: rows @ rows, most, repeats=20)

    def memory(self) -> dict[str, int]:
        """Return bytes: held by tensors now, at most since `forget`, and of the whole card."""
        if not self._counts:
            return {}
        free, total = torch.cuda.mem_get_info(self.device)
        return {
            "held_bytes": torch.cuda.memory_allocated(self.device),
            "most_bytes": torch.cuda.max_memory_allocated(self.device),
            "card_used_bytes": total - free,
            "card_bytes": total,
        }

    def forget(self) -> None:
        """Give back what is not held, and count the most that is held from here on."""
        if self._counts:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)

    @property
    def _counts(self) -> bool:
        return self.device.type == "cuda"

    def _wait(self) -> None:
        if self._counts:
            torch.cuda.synchronize(self.device)
