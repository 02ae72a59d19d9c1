"""Flashback as a model of lmms-eval.

    lmms-eval --model flashback --model_args model=lite,frames=512,dropout=on --tasks mvbench --batch_size 1

Whole films are looked at as `flashback eval` does, and streams pass. lmms-eval words the questions and
scores the answers.
"""

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lmms_eval.api.model import lmms

from training.evaluations.answers import TimedAnswer
from training.evaluations.engines import open_engine
from training.evaluations.items import Benchmark, Item, Options, Verdict
from training.evaluations.runner import EvaluationRun, ask_all
from training.lmms_eval.requests import ended, one_by_one
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
            found = asyncio.run(self._ask(items))
        for one in found.values():
            if one.error:
                log.warning("%s: %s", one.key, one.error)
        return [
            ended(found[item.key].answer, settings)
            for item, (_, settings, *_) in zip(items, asked, strict=True)
        ]

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """Refuse: answers are written, not rated.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("Flashback writes answers; choose tasks of generate_until")

    def generate_until_multi_round(self, requests: Sequence[Any]) -> list[str]:
        """Refuse: conversations are not carried on.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("Flashback answers one question at a time here")

    async def _ask(self, items: Sequence[Item]) -> dict[str, TimedAnswer]:
        found: dict[str, TimedAnswer] = {}
        engine = await asyncio.to_thread(
            open_engine, self._settings, dropout=self._drops, subtitled=False, progress=log.info
        )
        try:
            most = frames_at_most(self._frames, engine)
            how = EvaluationRun(engine, self._settings, _ASKED, Options(), most)
            await ask_all(how, items, {}, lambda one: found.__setitem__(one.key, one))
        finally:
            await engine.close()
        return found


_ASKED = Benchmark("lmms-eval", "lmms-eval", lambda *_: [], lambda *_: Verdict({}))
"""Worded and scored elsewhere."""
