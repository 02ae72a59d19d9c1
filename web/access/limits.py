"""What may be set for one named token, beside its rights: how much of everything it may have."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from web.errors import BadValue

_PERIODS = {"min": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(rf"([1-9]\d{{0,5}})/({'|'.join(_PERIODS)})")
_SIZES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(rf"([1-9]\d{{0,5}})({'|'.join(_SIZES)})/day")


class Rate(BaseModel):
    """So many in a time.

    Attributes:
        count: How many.
        seconds: In which time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: Annotated[int, Field(ge=1)]
    seconds: Annotated[int, Field(ge=1)]

    @classmethod
    def read(cls, text: str) -> "Rate":
        """Return the rate that is written as `30/min`, `100/hour` or `500/day`.

        Raises:
            BadValue: If it is written otherwise.
        """
        match = _RATE.fullmatch(text.strip())
        if match is None:
            raise BadValue(f"{text!r} is not a rate: write 30/min, 100/hour or 500/day")
        return cls(count=int(match[1]), seconds=_PERIODS[match[2]])

    def __str__(self) -> str:
        periods = {seconds: name for name, seconds in _PERIODS.items()}
        return f"{self.count}/{periods.get(self.seconds, f'{self.seconds}s')}"


class Limits(BaseModel):
    """How much one token may have; None is as much as the service gives any.

    Attributes:
        streams: Live streams that it feeds at once.
        questions: Questions in a time.
        bytes_a_day: Bytes of video and pictures that it sends, from midnight UTC on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    streams: Annotated[int, Field(ge=1)] | None = None
    questions: Rate | None = None
    bytes_a_day: Annotated[int, Field(ge=1)] | None = None

    def __str__(self) -> str:
        plural = "" if self.streams == 1 else "s"
        streams = None if self.streams is None else f"{self.streams} stream{plural}"
        questions = None if self.questions is None else f"{self.questions} questions"
        sent = None if self.bytes_a_day is None else f"{said_size(self.bytes_a_day)}/day"
        return ", ".join(one for one in (streams, questions, sent) if one is not None)


def read_size(text: str) -> int:
    """Return the bytes that are written as `500MB/day` or `2GB/day`.

    Raises:
        BadValue: If it is written otherwise.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise BadValue(f"{text!r} is not a size: write 500MB/day or 2GB/day")
    return int(match[1]) * _SIZES[match[2]]


def said_size(size: int) -> str:
    """Return `size` in bytes as people say it."""
    unit = max(
        (unit for unit in _SIZES if size >= _SIZES[unit]), key=_SIZES.__getitem__, default=""
    )
    return f"{size / _SIZES[unit]:g} {unit}" if unit else f"{size} bytes"
