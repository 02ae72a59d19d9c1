"""Settings: the model, and what is kept of what was seen."""

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from web.setting_parts.group import PREFIX, Group, field
from web.setting_parts.values import (
    Age,
    RedisUrl,
)


class MemorySettings(Group):
    """The model, and what is kept of what was seen."""

    model: str = field("lite", "model preset, checkpoint folder or hub id", min_length=1)
    data: Path = field(Path("~/.local/share/flashback"), "where the embedded Redis keeps its data")
    cache: Path = field(Path("~/.cache/flashback"), "where converted weights are kept")
    redis_url: RedisUrl = field(
        None,
        "an external Redis; without it one is embedded. redis://, rediss:// (TLS), unix://, "
        "redis+sentinel://host,host/name or redis+cluster://host,host",
    )
    redis_replicas: int = field(
        0,
        "how many replicas of an external Redis must have a clip before it counts as remembered",
        ge=0,
    )
    redis_memory_mb: int = field(1024, "ceiling of the embedded Redis", ge=16)
    stored_values: Literal["int8", "float16"] = field(
        "int8",
        "how the values of what was seen are kept: int8 takes half the room of float16 and moves no "
        "value by more than a 254th of its token's largest",
    )
    stream_quota_mb: int | None = field(
        None,
        "room for what is seen on one stream; beyond it the older is kept with fewer bits, then several "
        "clips as one, then not at all; by default as much as there is for all",
        ge=1,
    )
    memory_quota_mb: int | None = field(
        None,
        "room for what is seen on all streams; by default four fifths of the embedded Redis, and no "
        "bound in an external one",
        ge=1,
    )
    keep: Age = field(
        None,
        "how long what is seen is kept, as 7d, 12h, 30m or 90s; by default while there is room",
    )
    history_mb: int | None = field(
        None,
        "memory for what streams' histories hold beside Redis; by default 2048, or half of what a "
        "graphics card has left",
        ge=64,
    )
    second_look: bool | None = field(
        None,
        "answer a question about a long stream, whose old clips are folded, from the originals of the "
        "moments that it is about; it takes longer by reading them; by default where words lead to "
        "them (lite)",
    )
    visual_budget: int = field(
        1024,
        "visual tokens that a question selects at most; 0 for the share that the checkpoint was "
        "published with: the cost of a question then grows with the stream",
        ge=0,
    )
    as_released: bool = field(
        False,
        "run a released checkpoint as its own files say: visual tokens dropped (the published ones: "
        "not at all, so no evidence), no budget, its temperature, top_p, top_k and repetition penalty",
    )
    stretch: float = field(
        1.0,
        "how many times further than it was trained to the language model's positions are made to "
        "reach (YaRN), and with them a history; answers about short ones may get worse",
        ge=1,
        le=64,
    )

    @model_validator(mode="after")
    def _one_dropout(self) -> Self:
        if self.as_released and "visual_budget" in self.model_fields_set:
            raise ValueError(
                f"{PREFIX}VISUAL_BUDGET bounds what {PREFIX}AS_RELEASED leaves as it was released: "
                "set one of them"
            )
        return self

    @property
    def history_bytes(self) -> int | None:
        """Memory for histories, in bytes; None leaves it to the engine."""
        return None if self.history_mb is None else self.history_mb * 2**20
