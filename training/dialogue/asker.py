"""Questions about made-up streams, with the answers that follow from what was reported of them.

An answer says no more than the clips do: of a scene it names what most of its clips name, "perhaps"
what they half believe, and of what was never reported that it has not been seen. Every yes stands
beside a no, so that a question alone says nothing of its answer.
"""

import numpy as np

from training.dialogue.before import AboutBefore
from training.dialogue.now import AboutNow
from training.questions import Asked
from training.streams.told import changes_of, told
from training.streams.world import World, WorldStream


class Asker:
    """Asks about one stream.

    Args:
        world: That made the stream.
        stream: To ask about.
        random: Decides everything.
    """

    def __init__(self, world: World, stream: WorldStream, random: np.random.Generator) -> None:
        scenes, changes = told(stream), changes_of(stream)
        self._random = random
        self._now = AboutNow(world, stream, scenes, changes, random)
        self._before = AboutBefore(world, stream, scenes, changes, random)

    def ask(self, most: int, past: float = 1.0, when: float = 1.2) -> list[Asked]:
        """Return at most `most` questions, of every kind about equally many over many streams.

        Args:
            most: How many.
            past: How many times as often as else those about order and time are asked.
            when: The weight of those that ask when something was.
        """
        makers = self._now.makers() + self._before.makers(past, when)
        weights = np.array([weight for weight, _ in makers])
        asked: list[Asked] = []
        texts: set[str] = set()
        for _ in range(3 * most):
            if len(asked) == most:
                break
            maker = makers[self._random.choice(len(makers), p=weights / weights.sum())][1]
            for question in maker():
                if question.question not in texts:
                    texts.add(question.question)
                    asked.append(question)
                break
        return asked[:most]
