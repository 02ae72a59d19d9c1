"""The language model: one decoder for the Llama layout (SmolLM2) and Qwen2's.

A layer does not know where its keys and values live: it is handed a function that attends. So
one network serves training (a batch, plain causal attention), the single pass of the reference,
the streaming history and the decoding of several answers at once.

Parameter names are those of the published checkpoints.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from model.config import LanguageConfig
from model.language.kv_cache import KeyValues
from model.language.rotary import Rotary
from model.language.row_rounding import rounded, with_zeros

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Queries, keys and values of new tokens ("*batch heads n dim") to what they attend to."""
LayerHook = Callable[[], None]


def no_hook() -> None:
    """Do not hook."""


class _SelfAttention(nn.Module):
    """Grouped-query self-attention up to the point where keys meet queries."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self._dim = config.head_dim
        inner, shared = config.heads * config.head_dim, config.kv_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden, inner, bias=config.qkv_bias)
        self.k_proj = nn.Linear(config.hidden, shared, bias=config.qkv_bias)
        self.v_proj = nn.Linear(config.hidden, shared, bias=config.qkv_bias)
        self.o_proj = nn.Linear(inner, config.hidden, bias=False)

    def forward(
        self, hidden: Tensor, rotary: Rotary, attend: Attend, *, last_alone: bool = False
    ) -> Tensor:
        """Return what each token of `hidden` ("*batch n hidden"), or the last, takes from the others."""
        asking = hidden[..., -1:, :] if last_alone else hidden
        out = attend(
            self.queries(asking, rotary.of_last if last_alone else rotary),
            self.keys(hidden, rotary),
            self._split(_of_rounded(self.v_proj, hidden)),
        )
        mixed: Tensor = self.o_proj(out.transpose(-3, -2).flatten(-2))
        return mixed

    def queries(self, hidden: Tensor, rotary: Rotary) -> Float[Tensor, "*batch heads n dim"]:
        """Return the rotated queries of `hidden` (normalised layer input)."""
        return rotary.turn(self._split(self.q_proj(hidden)))

    def keys(self, hidden: Tensor, rotary: Rotary) -> Float[Tensor, "*batch kv_heads n dim"]:
        """Return the rotated keys of `hidden` (normalised layer input)."""
        return rotary.turn(self._split(_of_rounded(self.k_proj, hidden)))

    def _split(self, rows: Tensor) -> Tensor:
        return rows.reshape(*rows.shape[:-1], -1, self._dim).transpose(-3, -2)


class _FeedForward(nn.Module):
    """The gated two-layer network of each token (SwiGLU)."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden, config.intermediate, bias=False)
        self.up_proj = nn.Linear(config.hidden, config.intermediate, bias=False)
        self.down_proj = nn.Linear(config.intermediate, config.hidden, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the update of each token."""
        update: Tensor = self.down_proj(
            nn.functional.silu(self.gate_proj(hidden)) * self.up_proj(hidden)
        )
        return update


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(config.hidden, eps=config.rms_eps)
        self.self_attn = _SelfAttention(config)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden, eps=config.rms_eps)
        self.mlp = _FeedForward(config)

    def forward(
        self, hidden: Tensor, rotary: Rotary, attend: Attend, *, last_alone: bool = False
    ) -> Tensor:
        """Return `hidden` ("*batch n hidden"), or its last token alone, after this layer."""
        normed = self.input_layernorm(hidden)
        mixed = self.self_attn(normed, rotary, attend, last_alone=last_alone)
        hidden = (hidden[..., -1:, :] if last_alone else hidden) + mixed
        update: Tensor = self.mlp(self.post_attention_layernorm(hidden))
        return hidden + update


class _Backbone(nn.Module):
    """Embedding, layers and final norm, under the names of the published checkpoints."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab, config.hidden)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.hidden, eps=config.rms_eps)


class Decoder(nn.Module):
    """A causal language model that can be run a few layers at a time."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.config = config
        self.model = _Backbone(config)
        self.lm_head = nn.Linear(config.hidden, config.vocab, bias=False)
        if config.tied_embeddings:
            self.lm_head.weight = self.model.embed_tokens.weight

    def embed(self, ids: Int64[Tensor, "*batch n"]) -> Float[Tensor, "*batch n hidden"]:
        """Return the input embeddings of text tokens."""
        rows: Tensor = self.model.embed_tokens(ids)
        return rows

    def layer(self, index: int) -> Layer:
        """Return one layer."""
        found = self.model.layers[index]
        assert isinstance(found, Layer)
        return found

    def rotary(self, positions: Float[Tensor, "*batch n"]) -> Rotary:
        """Return the rotations of `positions`; they may be fractions."""
        return Rotary.of(self.config, positions)

    def logits(self, hidden: Float[Tensor, "*batch hidden"]) -> Float[Tensor, "*batch vocab"]:
        """Return next-token logits in float32 from the output of the last layer."""
        out: Tensor = self.lm_head(self.model.norm(hidden))
        return out.float()

    def run(
        self,
        hidden: Float[Tensor, "n hidden"],
        rotary: Rotary,
        layers: range,
        sequences: Sequence[tuple[int, Sequence[KeyValues]]],
        hook: LayerHook = no_hook,
    ) -> Float[Tensor, "n hidden"]:
        """Run some layers over the new tokens of one or more sequences, laid end to end.

        Args:
            hidden: Input of the first of `layers`.
            rotary: Of every token of `hidden`.
            layers: Which layers.
            sequences: For each sequence, its number of new tokens and its cache of every layer
                of the model (only those of `layers` are touched).
            hook: Called after every layer, so that something urgent need not wait for all.
        """
        counts = [count for count, _ in sequences]
        rows, hidden = len(hidden), rounded(hidden)
        rotary = rotary.followed_by(len(hidden) - rows)
        for index in layers:
            caches = [caches[index] for _, caches in sequences]
            hidden = self.layer(index)(hidden, rotary, partial(_each_alone, counts, caches))
            hook()
        return hidden[:rows]

    def run_to_last(
        self,
        hidden: Float[Tensor, "n hidden"],
        rotary: Rotary,
        layers: range,
        caches: Sequence[KeyValues],
        hook: LayerHook = no_hook,
    ) -> Float[Tensor, "1 hidden"]:
        """Run the last layers over one sequence's new tokens for what its last token becomes.

        In the very last layer the others are needed for their keys and values only.
        """
        last = layers[-1]
        hidden = self.run(hidden, rotary, range(layers[0], last), [(len(hidden), caches)], hook)
        out: Tensor = self.layer(last)(hidden, rotary, caches[last].attend, last_alone=True)
        return out

    def forward(
        self,
        hidden: Float[Tensor, "batch n hidden"],
        positions: Float[Tensor, "batch n"],
        mask: Tensor | None = None,
        lengths: Sequence[int] = (),
    ) -> Float[Tensor, "batch n hidden"]:
        """Run every layer over a batch without caches: what training does.

        Args:
            hidden: Input embeddings.
            positions: Rotary positions.
            mask: Which tokens each one sees, broadcastable to "batch heads n n"; None is causal.
            lengths: Of texts that lie end to end in each row and do not see each other; none is
                one text.
        """
        rotary = self.rotary(positions)

        def attend_among(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            if mask is not None and queries.is_cuda:
                # The one fused kernel that takes a mask wants a key head for every query head.
                shared = queries.shape[-3] // keys.shape[-3]
                keys, values = (rows.repeat_interleave(shared, -3) for rows in (keys, values))
            return nn.functional.scaled_dot_product_attention(
                queries, keys, values, attn_mask=mask, is_causal=mask is None, enable_gqa=True
            )

        def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            if len(lengths) < 2:
                return attend_among(queries, keys, values)
            rows = (torch.split(each, list(lengths), dim=-2) for each in (queries, keys, values))
            return torch.cat([attend_among(*one) for one in zip(*rows, strict=True)], dim=-2)

        for index in range(self.config.layers):
            hidden = self.layer(index)(hidden, rotary, attend)
        return hidden


def _each_alone(
    counts: Sequence[int],
    caches: Sequence[KeyValues],
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
) -> Tensor:
    """Attend within each sequence, laid end to end; rows after the last attend to nothing."""
    rows = sum(counts)
    parts = zip(
        caches,
        *(
            torch.split(each[..., :rows, :], list(counts), dim=-2)
            for each in (queries, keys, values)
        ),
        strict=True,
    )
    out = torch.cat([cache.attend(q, k, v) for cache, q, k, v in parts], dim=-2)
    return with_zeros(out, queries.shape[-2] - rows)


def _of_rounded(layer: nn.Module, hidden: Float[Tensor, "*batch n hidden"]) -> Tensor:
    """Return what `layer` makes of each row of `hidden`, by a product of a size that comes again."""
    out: Tensor = layer(rounded(hidden))
    return out[..., : hidden.shape[-2], :]
