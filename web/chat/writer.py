"""Writes one answer of chat completions, whole or in pieces."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial

from model.types import AnswerPiece, Finish, Words
from stream.errors import BadInput
from web.access.auth import require
from web.access.tokens import Caller
from web.chat.asked import ChatAsked
from web.chat.errors import failed
from web.chat.pictures import Pictures
from web.chat.reply import (
    AnswerMessage,
    Choice,
    Chunk,
    ChunkChoice,
    Completion,
    Delta,
    FinishReason,
    Rests,
    TokenUsage,
)
from web.chat.request import ChatRequest
from web.chat.stopping import StopWords
from web.errors import BadRequest, BadValue, Refusal
from web.http.streams import permitted
from web.identifiers import new_id
from web.inquiry import Inquiry, Put, put_to
from web.services import Services
from web.time_words.zone import zone_called


class Writer:
    """Writes one answer.

    Args:
        request: What asked for it.
        here: What answers.
        caller: Who asks.
    """

    def __init__(self, request: ChatRequest, here: Services, caller: Caller) -> None:
        self._request = request
        self._here = here
        self._caller = caller
        self._id = new_id("chatcmpl")
        self._created = int(here.clocks.wall())
        self._inquiry = Inquiry(here, caller)
        self._stream: str | None = None

    def pieces(self, asked: ChatAsked) -> AsyncGenerator[AnswerPiece, None]:
        """Ask, and yield the answer as it comes; see `Inquiry.pieces`."""
        return self._inquiry.pieces(partial(self._put, asked))

    async def _put(self, asked: ChatAsked) -> Put:
        """Find what is asked, understand words of time, and note the question."""
        put = await self._put_to(asked)
        text = asked.question.text
        await self._here.audit.note(self._caller, "ask", self._stream, question=text)
        return put

    async def _put_to(self, asked: ChatAsked) -> Put:
        """Return the question as it is put to a stream, or to pictures.

        Raises:
            BadRequest: If the stream's name or the time zone is none.
        """
        if asked.pictures:
            return Put(await self._pictures(asked.pictures), asked.question)
        self._stream = asked.stream or await self._only_stream()
        require(self._caller, "ask", self._stream)
        about = self._request.flashback
        try:
            live = await self._here.registry.find(self._stream)
            zone = None if about.timezone is None else await zone_called(about.timezone)
        except BadInput as error:
            raise BadRequest("invalid_value", str(error), "model") from None
        except BadValue as error:
            raise BadRequest(error.code, str(error), "flashback.timezone") from None
        return await put_to(live, asked.question, self._here.clocks.wall(), zone)

    async def _pictures(self, files: Sequence[bytes]) -> Pictures:
        decoder, name = self._here.decoder, self._caller.name
        try:
            return Pictures(self._here.engine, [await decoder.decode(data, name) for data in files])
        except BadValue as error:
            raise BadRequest("invalid_image", str(error), "messages") from None

    async def _only_stream(self) -> str:
        streams = await permitted(self._here, self._caller, "ask", "", 2)
        if len(streams) == 1:
            return streams[0].name
        example = f"{self._here.answerer}@{streams[0].name if streams else 'NAME'}"
        message = (
            f'Which stream is asked about? Name it in the model ("{example}"), as "flashback": '
            '{"stream": "NAME"}, or in a part of the message: {"type": "video_url", "video_url": '
            '{"url": "stream:NAME"}}. GET /v1/models lists what there is.'
        )
        raise BadRequest("no_stream", message, "model")

    def completion(self) -> Completion:
        """Return the whole answer."""
        stop = self._stop()
        text = stop.take(self._inquiry.text) + stop.rest()
        choice = Choice(
            message=AnswerMessage(content=text.strip()), finish_reason=self._reason(stop)
        )
        return Completion(
            id=self._id,
            created=self._created,
            model=self._request.model,
            choices=(choice,),
            usage=self._usage(),
            flashback=self._rests(),
        )

    async def events(
        self, first: AnswerPiece, more: AsyncGenerator[AnswerPiece, None]
    ) -> AsyncGenerator[str, None]:
        """Yield the answer as events, from its first piece on."""
        options, stop = self._request.stream_options, self._stop()
        yield self._event(Delta(role="assistant", content=""))
        try:
            async with aclosing(more):
                if text := self._said(first, stop):
                    yield self._event(Delta(content=text))
                async for piece in more:
                    if text := self._said(piece, stop):
                        yield self._event(Delta(content=text))
            yield self._event(Delta(), self._reason(stop), self._rests())
            if options is not None and options.include_usage:
                yield _line(self._chunk((), self._usage()))
        except Refusal as failure:
            yield f"data: {bytes(failed(failure).body).decode()}\n\n"
        yield "data: [DONE]\n\n"

    def _stop(self) -> StopWords:
        return StopWords(self._request.stop or ())

    @staticmethod
    def _said(piece: AnswerPiece, stop: StopWords) -> str:
        return stop.take(piece.text) if isinstance(piece, Words) else stop.rest()

    def _event(
        self, delta: Delta, reason: FinishReason | None = None, rests: Rests | None = None
    ) -> str:
        return _line(self._chunk((ChunkChoice(delta=delta, finish_reason=reason),), None, rests))

    def _chunk(
        self,
        choices: tuple[ChunkChoice, ...],
        usage: TokenUsage | None = None,
        rests: Rests | None = None,
    ) -> Chunk:
        return Chunk(
            id=self._id,
            created=self._created,
            model=self._request.model,
            choices=choices,
            usage=usage,
            flashback=rests,
        )

    @property
    def _finished(self) -> Finish:
        assert self._inquiry.finish is not None, "an answer ends with a Finish"
        return self._inquiry.finish

    def _reason(self, stop: StopWords) -> FinishReason:
        return "length" if self._finished.reason == "length" and not stop.met else "stop"

    def _usage(self) -> TokenUsage:
        usage = self._finished.usage
        prompt = usage.prompt_tokens + usage.tokens_kept
        return TokenUsage(
            prompt_tokens=prompt,
            completion_tokens=usage.answer_tokens,
            total_tokens=prompt + usage.answer_tokens,
        )

    def _rests(self) -> Rests:
        usage = self._finished.usage
        return Rests(
            stream=self._stream,
            start=usage.start,
            end=usage.end,
            behind=round(usage.behind, 3),
            frames=usage.frames,
            evidence=self._inquiry.evidence,
            time=self._inquiry.time,
            timings=self._inquiry.timings,
        )


def _line(chunk: Chunk) -> str:
    return f"data: {chunk.model_dump_json()}\n\n"
