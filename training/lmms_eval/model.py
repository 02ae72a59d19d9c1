"""Flashback as a model of lmms-eval.

    lmms-eval --model flashback --model_args model=lite,frames=512,dropout=on --tasks mvbench --batch_size 1

Whole films are looked at as `flashback eval` does, and streams pass. lmms-eval words the questions and
scores the answers.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lmms_eval.api.model import lmms

from model.engine.contract import Engine
from training.evaluations.answers import TimedAnswer
from training.evaluations.engines import open_engine
from training.evaluations.items import Benchmark, Item, Options, Verdict
from training.evaluations.runner import EvaluationRun, ask_all
from training.lmms_eval.requests import Rounds, ended, one_by_one
from web.cli.source.ask import frames_at_most
from web.settings import read_settings

log = logging.getLogger(__name__)


class FlashbackModel(lmms):  # type: ignore[misc]
    """Looks at films and answers.

    Args:
        model: lite, tiny, flash-2b, a folder, a hub id.
        frames: Of a whole film to look at, at most.
        dropout: `on` or `off`: whether visual tokens are dropped inside the language model.
        batch_size: 1; films are looked at one after the other.
        device: Chosen by the model itself.
        ignored: Other arguments of lmms-eval's command line.

    Raises:
        ValueError: If an argument cannot be used.
    """

    is_simple = True

    def __init__(
        self,
        model: str = "lite",
        frames: int = 512,
        dropout: str = "on",
        batch_size: int | str = 1,
        device: str | None = None,
        **ignored: object,
    ) -> None:
        super().__init__()
        if dropout not in {"on", "off"}:
            raise ValueError(f"dropout is on or off, got {dropout}")
        self._settings = read_settings(model=model)
        self._frames, self._drops = int(frames), dropout == "on"

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        """Return the answer to every request; what could not be looked at has an empty one."""
        asked = [request.args for request in requests]
        with tempfile.TemporaryDirectory() as folder:
            items = one_by_one(asked, self.task_dict, Path(folder))
            found = asyncio.run(self._in_one_round(items))
        return [
            ended(found[item.key], settings)
            for item, (_, settings, *_) in zip(items, asked, strict=True)
        ]

    def generate_until_multi_round(self, requests: Sequence[Any]) -> list[list[str]]:
        """Return the answers to every request, one for each round of it."""
        asked = [Rounds(n, request.args, self.task_dict) for n, request in enumerate(requests)]
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(self._round_by_round(asked, Path(folder)))
        return [one.answers for one in asked]

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """Refuse: answers are written, not rated.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("Flashback writes answers; choose tasks of generate_until")

    async def _in_one_round(self, items: Sequence[Item]) -> dict[str, str]:
        async with self._engine() as engine:
            return await self._ask(engine, items)

    async def _round_by_round(self, asked: Sequence[Rounds], folder: Path) -> None:
        """Put the same round to all that go on, so that a film is looked at once a round."""
        async with self._engine() as engine:
            while going := {
                item.key: (one, item) for one in asked if (item := one.next(folder)) is not None
            }:
                found = await self._ask(engine, [item for _, item in going.values()])
                for key, (one, _) in going.items():
                    one.add(found[key])
                asked = [one for one, _ in going.values()]

    @asynccontextmanager
    async def _engine(self) -> AsyncIterator[Engine]:
        engine = await asyncio.to_thread(
            open_engine, self._settings, dropout=self._drops, subtitled=False, progress=log.info
        )
        try:
            yield engine
        finally:
            await engine.close()

    async def _ask(self, engine: Engine, items: Sequence[Item]) -> dict[str, str]:
        """Return the answers by key; what could not be asked has an empty one, and is logged."""
        found: dict[str, str] = {}

        def told(one: TimedAnswer) -> None:
            found[one.key] = one.answer
            if one.error:
                log.warning("%s: %s", one.key, one.error)

        most = frames_at_most(self._frames, engine)
        await ask_all(
            EvaluationRun(engine, self._settings, _ASKED, Options(), most), items, {}, told
        )
        return found


_ASKED = Benchmark("lmms-eval", "lmms-eval", lambda *_: [], lambda *_: Verdict({}))
"""Worded and scored elsewhere."""
