"""One pass with progressive dropout, written a second time to hold ours against.

It shares the weights with ours and nothing else: transformers' Qwen2 layers, a mask, and the rules
of the reference spelled out. No caches, no history: an answer's words are read along with the
prompt, of which only the tokens up to its end select.
"""

from dataclasses import dataclass

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM
from transformers.models.qwen2.modeling_qwen2 import apply_rotary_pos_emb

NEAR = 1e-4
"""Scores that differ by less than this share of themselves may be ordered either way."""


@dataclass
class Read:
    """Logits after the prompt and after each word; what each stage kept of what it could see.

    And the scores of the first text-guided stage, of all that it could see; and how many visual
    tokens the question could see in the last layer.
    """

    logits: torch.Tensor
    kept: list[list[int]]
    scores: torch.Tensor | None = None
    tokens_kept: int = 0
    undecided: bool = False


class PlainPass:
    def __init__(self, decoder, dropout, tokens_per_clip, step=1.0):
        ours = decoder.config
        config = Qwen2Config(
            hidden_size=ours.hidden,
            num_hidden_layers=ours.layers,
            num_attention_heads=ours.heads,
            num_key_value_heads=ours.kv_heads,
            head_dim=ours.head_dim,
            intermediate_size=ours.intermediate,
            vocab_size=ours.vocab,
            rms_norm_eps=ours.rms_eps,
            rope_parameters={"rope_type": "default", "rope_theta": ours.rope_theta},
            attn_implementation="eager",
        )
        self.network = Qwen2ForCausalLM(config).eval()
        self.network.load_state_dict(decoder.state_dict())
        self.stages = {stage.layer: stage for stage in dropout.stages}
        self.tokens_per_clip, self.step = tokens_per_clip, step

    @torch.no_grad()
    def read(self, prefix, clips, suffix, words=(), seen=None):
        """Read a prompt and the `words` after it; the question sees only the clips in `seen`."""
        words = torch.tensor(words, dtype=torch.long)
        texts = [c.hidden for c in clips]
        hidden = torch.cat([prefix, *texts, suffix, self.network.model.embed_tokens(words)])
        after = len(suffix) + len(words)
        clip = torch.tensor([n for n, c in enumerate(clips) for _ in c.place], dtype=torch.long)
        clip = pad(clip, len(prefix), after)
        place = pad(torch.cat([clip[:0], *(c.place for c in clips)]), len(prefix), after)
        asks = torch.arange(len(hidden)) >= len(hidden) - after
        asked = torch.arange(len(hidden)) < len(hidden) - len(words)
        seen = torch.tensor(range(len(clips)) if seen is None else seen, dtype=torch.long)
        visible = (clip < 0) | torch.isin(clip, seen)
        visual, pattern = int((visible & (clip >= 0)).sum()), torch.arange(self.tokens_per_clip)
        out = Read(hidden, [])
        for number, layer in enumerate(self.network.model.layers):
            steps = torch.where(place >= 0, self.step, 1.0)
            rotary = self.network.model.rotary_emb(hidden, (steps.cumsum(0) - steps)[None])
            if (stage := self.stages.get(number)) is not None:
                if stage.kind in {"clipwise", "leading"}:
                    share = int(self.tokens_per_clip * stage.ratio)
                    even = evenly(len(pattern), share)
                    pattern = pattern[:share] if stage.kind == "leading" else pattern[even]
                    stays = (place < 0) | torch.isin(place, pattern)
                else:
                    count = int(visual * stage.ratio)
                    count = count if stage.budget is None else min(count, stage.budget)
                    candidates = (visible & (clip >= 0)).nonzero()[:, 0]
                    if stage.kind == "uniform":
                        best = candidates[evenly(len(candidates), min(count, len(candidates)))]
                    else:
                        scores = self._scores(layer, hidden, rotary, visible & asked, asked)
                        if out.scores is None:
                            out.scores = scores[visible & asked]
                        order = scores[candidates].argsort(descending=True)
                        best, edge = candidates[order[:count]], scores[candidates[order]]
                        if 0 < count < len(order):
                            least, next_best = edge[count - 1], edge[count]
                            out.undecided |= bool(least - next_best < NEAR * least)
                    stays = clip < 0
                    stays[best] = True
                rank = visible.cumsum(0) - 1
                out.kept.append(rank[stays & visible & asked].tolist())
                hidden, clip, place = hidden[stays], clip[stays], place[stays]
                asks, asked, visible = asks[stays], asked[stays], visible[stays]
                steps = torch.where(place >= 0, self.step, 1.0)
                rotary = self.network.model.rotary_emb(hidden, (steps.cumsum(0) - steps)[None])
            mask = torch.ones(len(hidden), len(hidden), dtype=torch.bool).tril()
            mask &= ~(asks[:, None] & ~visible[None])
            mask = torch.zeros(mask.shape).masked_fill(~mask, float("-inf"))[None, None]
            hidden = layer(hidden[None], attention_mask=mask, position_embeddings=rotary)[0]
        out.tokens_kept = int((visible & (place >= 0)).sum())
        last = hidden[len(hidden) - len(words) - 1 :]
        out.logits = self.network.lm_head(self.network.model.norm(last))
        return out

    def _scores(self, layer, hidden, rotary, columns, asked):
        """Attention that the prompt's last token would pay in `layer`, as a mean over heads."""
        attention, normed = layer.self_attn, layer.input_layernorm(hidden)[None]
        heads = (1, len(hidden), -1, attention.head_dim)
        query = attention.q_proj(normed).view(heads).transpose(1, 2)
        key = attention.k_proj(normed).view(heads).transpose(1, 2)
        query, key = apply_rotary_pos_emb(query, key, *rotary)
        key = key.repeat_interleave(query.shape[1] // key.shape[1], dim=1)
        last = int(asked.nonzero()[-1])
        row = (query[0, :, last : last + 1] @ key[0].mT)[:, 0] * attention.scaling
        return row.masked_fill(~columns, float("-inf")).softmax(-1).mean(0)


def pad(values, before, after):
    return torch.nn.functional.pad(values, (before, after), value=-1)


def evenly(count, keep):
    return torch.linspace(0, count - 1, keep).long()
