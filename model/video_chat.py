"""VideoChat-Flash as one object: pictures in, readings out. It keeps no state between calls.

    Clip ──encoder──► features ──merge──► ClipTokens            (4 frames ─► 64 tokens)
    ClipTokens ──projector──► History ◄── question ──► Reading  (from which words are written)

Whoever calls it owns the histories and decides what runs when: `model/engine/local.py`.

Source: VideoChat-Flash (https://arxiv.org/abs/2501.00574).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from model.config import DropoutConfig
from model.errors import ModelError
from model.history import History
from model.language.clip_markers import ClipMarkers, Noted
from model.language.decoder import LayerHook, no_hook
from model.language.dropout import Tokens
from model.language.prompt import VisibleSpan
from model.parts import ModelParts
from model.reading import Attended, PromptReader, Reading
from model.types import Clip, ClipTokens, Evidence, Question, Usage
from model.vision.merge import merge_tokens
from model.wavefront import torch_threads

MAX_QUESTION_TOKENS = 1024
"""Tokens of a question with its conversation; older lines are left out to stay below it."""
CHARACTERS_PER_TOKEN = 8
"""Longer texts are not tokenised at all; it is twice what languages have."""

_LEAST_HABIT = 0.05
"""Share of the mean below which what an empty question looks at is not divided by: it is mere chance."""

_ANSWER_POSITIONS = 512.0
"""Positions kept free in every history for an answer, beside those for its question."""
RESERVED = MAX_QUESTION_TOKENS + _ANSWER_POSITIONS
"""Positions kept free for a question and its answer, where nothing else is said."""

_LOOKED_AT_ONCE = 32
"""Clips of a large batch that a graphics card encodes at once: more are not faster."""


@dataclass(frozen=True, slots=True, eq=False)
class Prefill:
    """A question that has been read.

    Attributes:
        reading: From which the answer is written.
        history: On top of which it was read.
        clips: The clips it could look at, by number.
        prompt_tokens: Text tokens that the question added.
        duration: See `Question`.
    """

    reading: Reading
    history: History
    clips: range
    prompt_tokens: int
    duration: float | None = None


class VideoChat:
    """A network, ready to look and to read.

    Args:
        parts: The trained pieces.
        dropout: Where visual tokens are dropped, if not where the configuration says.
        question_tokens: Of a question with its conversation, at most; every history keeps as many
            positions free.
    """

    def __init__(
        self,
        parts: ModelParts,
        dropout: DropoutConfig | None = None,
        question_tokens: int = MAX_QUESTION_TOKENS,
    ) -> None:
        config = parts.config
        self.parts = parts
        self.prompt = parts.prompt
        self.markers = ClipMarkers(parts.prompt, parts.note)
        self.reader = PromptReader(
            parts.decoder,
            dropout or config.dropout,
            config.vision.tokens_per_clip,
            config.visual_step,
            parts.evidence_layer,
        )
        self._question_tokens = question_tokens
        self._weights = parts.decoder.lm_head.weight

    @property
    def reserved(self) -> float:
        """Positions kept free in every history for a question and its answer."""
        return self._question_tokens + _ANSWER_POSITIONS

    @property
    def reach(self) -> float:
        """Positions the language model can tell apart, YaRN's stretching included."""
        language = self.parts.config.language
        if (scaling := language.rope_scaling) is not None:
            return scaling.factor * scaling.original_positions
        return float(language.max_positions)

    @property
    def clip_bytes(self) -> int:
        """Memory that one clip takes: in the caches of a history, and its tokens."""
        vision = self.parts.config.vision
        held = History.clip_bytes(self.reader, self.markers.positions)
        return held + 2 * vision.tokens_per_clip * vision.width

    @torch.inference_mode()
    def encode(self, clips: Sequence[Clip]) -> list[ClipTokens]:
        """Return what is kept of each of `clips`; a clip of fewer frames repeats its last one."""
        frames = self.parts.config.vision.frames_per_clip
        whole = [clip.filled(frames) for clip in clips]
        # A graphics card looks at one part while the next one is brought to size here.
        most = _LOOKED_AT_ONCE if self._weights.is_cuda else max(1, len(whole))
        parts = [self._merged(whole[n : n + most]) for n in range(0, len(whole), most)]
        # As memory keeps them, so that a history rebuilt from memory is the same to the last bit.
        kept = torch.cat(parts).half().cpu()
        # Copied: a clip that outlives the others of its batch keeps none of their memory.
        return [
            ClipTokens(values.clone(), clip.start, clip.end, len(clip.pixels))
            for values, clip in zip(kept, clips, strict=True)
        ]

    def open(self, hook: LayerHook = no_hook) -> History:
        """Return the history of a stream that has shown nothing yet; see `Decoder.run` for `hook`."""
        prefix = self._embed(self.prompt.prefix())
        return History(self.reader, prefix, self.reach, self.reserved, hook)

    @torch.inference_mode()
    def extend(
        self, history: History, clips: Sequence[ClipTokens], hook: LayerHook = no_hook
    ) -> None:
        """Let `history` read `clips`, oldest first.

        Args:
            history: Of their stream.
            clips: What comes after those that it has read.
            hook: See `Decoder.run`.

        Raises:
            HistoryFull: If they do not fit; nothing was read.
        """
        markers, noted = self.markers.write(history.noted, clips)
        with torch_threads(1):  # it is little, and cores would wait for one another
            tokens = [
                Tokens.of_clip(0, self._embed(marker), visual)
                for marker, visual in zip(markers, self._project(clips), strict=True)
            ]
        spans = [(clip.start, clip.end) for clip in clips]
        history.extend(spans, tokens, [clip.frames for clip in clips], hook)
        history.noted = noted

    def ask(
        self, history: History, question: Question, hook: LayerHook = no_hook
    ) -> Prefill | None:
        """Read `question` on top of `history`; None if no clip lies in the time asked about.

        Args:
            history: Of the stream asked about.
            question: To read.
            hook: See `Decoder.run`.

        Raises:
            ModelError: `question_too_long`: the question alone has too many tokens.
        """
        clips = history.between(question.since, question.until)
        if not clips:
            return None
        suffix = self._suffix(question, self._seen(history, clips))
        reading = history.ask(self._embed(suffix), clips, hook)
        return Prefill(reading, history, clips, len(suffix), question.duration)

    @torch.inference_mode()
    def read_once(self, clips: Sequence[ClipTokens], question: Question) -> Reading:
        """Read `clips` and `question` in one pass, without a history: the reference's way."""
        frames = sum(clip.frames for clip in clips)
        seen = VisibleSpan(clips[0].start, clips[-1].end, frames)
        parts = [Tokens.of_text(self._embed(self.prompt.prefix()))]
        markers, _ = self.markers.write(Noted(), clips)
        for number, (marker, visual) in enumerate(zip(markers, self._project(clips), strict=True)):
            parts.append(Tokens.of_clip(number, self._embed(marker), visual))
        parts.append(Tokens.of_text(self._embed(self.prompt.suffix(question, seen))))
        return self.reader.read(Tokens.join(parts))

    @torch.inference_mode()
    def evidence(self, prefill: Prefill, hook: LayerHook = no_hook) -> tuple[Evidence, ...]:
        """Return each clip's share of what the end of the question attends to.

        In the layer that is known to show it, if one is. Else where tokens are selected, as far as the
        question made it: a language model looks most at what stands last, whatever it is asked. An
        empty question says how much at each clip, and shares are divided by that (docs/decisions). It
        is read here, up to the selection. Empty where nothing selects.

        Args:
            prefill: The question as it was read.
            hook: See `Decoder.run`.
        """
        if (attended := prefill.reading.evidence) is not None:
            shares = self._by_clip(prefill, attended)
        elif (attended := prefill.reading.selection) is not None:
            shares = self._by_clip(prefill, attended)
            habit = self._by_clip(prefill, self._usual(prefill, attended, hook))
            shares = shares / habit.clamp_min(_LEAST_HABIT * habit.mean())
        else:
            return ()
        scores = shares / shares.sum().clamp_min(1e-12)
        found = (prefill.history.clips[number] for number in prefill.clips)
        return tuple(
            Evidence(clip.start, clip.end, score)
            for clip, score in zip(found, scores.tolist(), strict=True)
        )

    def _usual(self, prefill: Prefill, selection: Attended, hook: LayerHook) -> Attended:
        """Return what an empty question attends to where tokens are selected."""
        seen = self._seen(prefill.history, prefill.clips)
        empty = self._suffix(Question("", duration=prefill.duration), seen)
        scores = prefill.history.attention(self._embed(empty), prefill.clips, hook)
        # What the two see is the same up to their own words.
        (visual,) = (selection.places >= 0).nonzero(as_tuple=True)
        return Attended(scores[visual], selection.clips[visual], selection.places[visual])

    @staticmethod
    def _by_clip(prefill: Prefill, attended: Attended) -> Float[Tensor, " clips"]:
        """Return the sums of scores of each clip's visual tokens, which are all before a question."""
        # A marker is words about a clip, not what was seen in it.
        (visual,) = (attended.places >= 0).nonzero(as_tuple=True)
        sums = torch.zeros(len(prefill.clips), device=attended.scores.device)
        clips = attended.clips[visual] - prefill.clips[0]
        sums.index_add_(0, clips, attended.scores[visual].float())
        return sums / sums.sum().clamp_min(1e-12)

    def usage(self, prefill: Prefill, answer_tokens: int) -> Usage:
        """Return what an answer was made from."""
        seen = self._seen(prefill.history, prefill.clips)
        return Usage(
            clips=len(prefill.clips),
            frames=seen.frames,
            visual_tokens=len(prefill.clips) * self.parts.config.vision.tokens_per_clip,
            tokens_kept=prefill.reading.tokens_kept,
            prompt_tokens=prefill.prompt_tokens,
            answer_tokens=answer_tokens,
            start=seen.start,
            end=seen.end,
        )

    def _suffix(self, question: Question, seen: VisibleSpan) -> list[int]:
        """Return the tokens of `question`, from the first line a user said that leaves few enough.

        Raises:
            ModelError: `question_too_long`: the question alone has too many.
        """
        turns, most = question.conversation, CHARACTERS_PER_TOKEN * self._question_tokens
        # What the user said stands beside what was seen: no other line can come first.
        begins = [n for n, turn in enumerate(turns) if turn.role == "user"]
        for first in [*begins, len(turns)]:
            shorter = replace(question, conversation=turns[first:])
            # Counted first: the thread that all streams share would tokenise a megabyte for seconds.
            characters = len(question.text) + sum(len(turn.text) for turn in turns[first:])
            if characters > most:
                continue
            suffix = self.prompt.suffix(shorter, seen)
            if len(suffix) <= self._question_tokens:
                return suffix
        if characters > most:
            long, most_read = f"{characters} characters", most
        else:
            long, most_read = f"{len(suffix)} tokens", self._question_tokens
        said = f"the question has {long}, at most {most_read} can be read"
        raise ModelError(said, code="question_too_long")

    def _merged(self, clips: Sequence[Clip]) -> Float[Tensor, "clips tokens features"]:
        vision = self.parts.config.vision
        features = self.parts.encoder(clips).float()
        return merge_tokens(features, vision.tokens_per_clip, vision.heads)

    def _project(self, clips: Sequence[ClipTokens]) -> Float[Tensor, "clips tokens hidden"]:
        values = torch.stack([clip.values for clip in clips])
        projected: Tensor = self.parts.projector(values.to(self._weights.device))
        return projected.to(self._weights.dtype)

    def _embed(self, tokens: Sequence[int]) -> Float[Tensor, "n hidden"]:
        ids = torch.tensor(tokens, dtype=torch.int64, device=self._weights.device)
        with torch.inference_mode():
            return self.parts.decoder.embed(ids)

    def _seen(self, history: History, clips: range) -> VisibleSpan:
        found = history.clips[clips.start : clips.stop]
        return VisibleSpan(found[0].start, found[-1].end, sum(clip.frames for clip in found))
