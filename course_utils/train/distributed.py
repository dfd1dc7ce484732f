"""Several processes, one for each device, started by torchrun; each computes its share of every batch."""

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from course_utils.data.text import Batch

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Team:
    """The processes that train together; this one is number `rank` of `size`. Alone, it is a team of one."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process prints, measures and writes."""
        return self.rank == 0

    def share(self, batch: Batch) -> tuple[Batch, float]:
        """Picks this process's rows of the joint batch: every size-th row, so that lengths are spread evenly.

        Gives the rows and the weight of their loss: 1, or 0 where there are fewer rows than processes. A process
        without a row of its own computes the first one and counts it not at all, for all must take part.
        """
        if self.size == 1:
            return batch, 1.0
        mine = slice(self.rank, None, self.size) if self.rank < len(batch) else slice(0, 1)
        return batch.rows(mine), float(self.rank < len(batch))

    def agree(self, elapsed: float, stop: bool) -> tuple[float, bool]:
        """Makes all see the same: the time of the leading process, and whether any of them was asked to stop."""
        if self.size == 1:
            return elapsed, stop
        told = torch.tensor([elapsed if self.leads else 0.0, float(stop)], dtype=torch.float64)
        dist.all_reduce(told, op=dist.ReduceOp.MAX, group=_control())
        return told[0].item(), told[1].item() > 0

    def total(self, numbers: list[float]) -> list[float]:
        """Sums numbers over all processes."""
        if self.size == 1:
            return numbers
        told = torch.tensor(numbers, dtype=torch.float64)
        dist.all_reduce(told, group=_control())
        return told.tolist()

    def wrap(self, module: nn.Module, device: torch.device) -> nn.Module:
        """Makes backward() leave the mean of all processes' gradients, in each of them."""
        if self.size == 1:
            return module
        return DistributedDataParallel(module, device_ids=[device] if device.type == "cuda" else None)

    def leave(self) -> None:
        """Ends the team: from here on each process is on its own."""
        if self.size > 1:
            dist.destroy_process_group()
            _groups.clear()


_groups: dict[str, dist.ProcessGroup] = {}


def _control() -> dist.ProcessGroup:
    """A group that talks over the CPU, so that a small message need not wait for the GPU's work."""
    return _groups["control"]


def join(device: str = "auto") -> tuple[Team, torch.device]:
    """Finds out whether torchrun started this process among several, and which device is its own.

    Raises ValueError for an unknown device, and for CUDA where there is none.
    """
    if device not in DEVICES:
        raise ValueError(f"device: got {device!r}, expected one of {', '.join(DEVICES)}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: got cuda, expected auto or cpu, for PyTorch finds no CUDA device here")
    kind = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    size = int(os.environ.get("WORLD_SIZE", 1))
    own = torch.device(kind, int(os.environ.get("LOCAL_RANK", 0))) if kind == "cuda" else torch.device("cpu")
    if size == 1:
        return Team(), own
    if kind == "cuda":
        torch.cuda.set_device(own)
    dist.init_process_group("nccl" if kind == "cuda" else "gloo")
    _groups["control"] = dist.new_group(backend="gloo")
    return Team(dist.get_rank(), size), own


class SummedLoss(nn.Module):
    """A model and its loss as one module, for DistributedDataParallel listens to forward() only."""

    def __init__(self, model: nn.Module, loss, smoothing: float) -> None:
        super().__init__()
        self.model, self.loss, self.smoothing = model, loss, smoothing

    def forward(self, batch: Batch) -> tuple[Tensor, int]:
        return self.loss(self.model, batch, self.smoothing)
