"""How often to look when there is more to see than can be encoded.

Looking less often keeps the whole stream in view at a lower pace; losing clips tears holes.
So the pace goes down first: fast when clips begin to queue, back up slowly when none do. Once clips
had to be lost all the same, those that are stale are lost too.
"""

_SLOWER = 0.7
_FASTER = 1.15
_CALM_CLIPS = 3


class RateController:
    """Chooses the sampling rate between `slowest` and `fastest`, in frames per second.

    Args:
        fastest: While nothing slows it.
        slowest: Under load.
        stale_after: Age in seconds at which a clip is stale.

    Attributes:
        rate: Chosen now.
    """

    def __init__(self, fastest: float, slowest: float, stale_after: float = float("inf")) -> None:
        if not 0 < slowest <= fastest:
            raise ValueError(f"rates must be ordered and positive: {slowest=} {fastest=}")
        self.rate = fastest
        self._fastest = fastest
        self._slowest = slowest
        self._calm = 0
        self._stale_after = stale_after
        self._lost = 0
        self._overloaded = False

    def clip_queued(self, waiting: int) -> None:
        """Note that a clip is ready while `waiting` others wait for the encoder already."""
        if waiting > 0:
            self._calm = 0
            self.rate = max(self._slowest, self.rate * _SLOWER)

    def clip_encoded(self, took: float, lasted: float) -> None:
        """Note that a clip that lasted `lasted` seconds took `took` seconds to encode.

        Only an encoder that was idle half of the time can bear more.
        """
        if took > lasted / 2:
            self._calm = 0
            return
        self._calm += 1
        if self._calm >= _CALM_CLIPS:
            self._calm = 0
            self.rate = min(self._fastest, self.rate * _FASTER)

    def is_stale(self, age: float, lost: int) -> bool:
        """Say whether a clip is better lost than encoded late.

        Args:
            age: Of the clip, in seconds.
            lost: Clips that newer ones displaced so far.
        """
        stale = age > self._stale_after
        self._overloaded = lost > self._lost or (self._overloaded and stale)
        self._lost = lost
        return self._overloaded and stale
