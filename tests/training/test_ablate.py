"""Variants of reading differ in what they vary alone, and are compared on the same questions."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from model.config import LanguageConfig
from model.language.decoder import Decoder
from model.language.tokenizer import HubTokenizer
from model.vision.vocabulary import word_table
from model.vision.word_projector import WordProjector
from model.zoo.lite import CAPTION, DROPOUT, LOOK, SEEN, THINGS
from model.zoo.lite_base import convert
from training import ablate
from training.exams.compared import difference, shares, sign_test
from training.lite import reading
from training.lite.forms import FORM, Form
from training.lite.made_up import Batch, Maker
from training.lite.reading import Told, right_by_kind, student, told_of

RECIPE = ablate.SmallRecipe(steps=2, streams=1, longest=4, questions=3, seed=1, exam=3)
FORMS = [FORM, Form("summed"), Form("none"), Form(seen=0), Form(seen=16), Form(anchored=False)]
SMALL = LanguageConfig(
    hidden=32, layers=21, heads=2, kv_heads=1, head_dim=16, intermediate=32, vocab=49_152,
    rope_theta=1e4, rms_eps=1e-5, qkv_bias=False, tied_embeddings=True, max_positions=8192,
)  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Return base weights whose language model is small and knows nothing."""
    folder, published = tmp_path_factory.mktemp("base"), convert()
    for name in ("tokenizer.json", "trunk.safetensors"):
        (folder / name).symlink_to(published / name)
    torch.manual_seed(0)
    language = Decoder(SMALL).state_dict()
    del language["lm_head.weight"]
    save_file(language, folder / "language.safetensors")
    return folder


@pytest.fixture(autouse=True)
def small(monkeypatch, base):
    monkeypatch.setattr(reading, "LITE_LANGUAGE", SMALL)
    monkeypatch.setattr(ablate, "convert", lambda: base)


def exam(base, form):
    return list(RECIPE.asked(base, form))


@pytest.mark.parametrize("form", FORMS)
def test_a_form_has_as_many_tokens_as_it_says_and_keeps_what_names_things(base, form):
    pupil = student(base, 2, form)
    batch = exam(base, form)[0]
    rows = torch.cat([torch.zeros(*batch.seen.shape[:-1], LOOK), batch.seen], dim=-1)
    tokens = pupil.projector.tokens(batch.captions, rows)
    assert tokens.shape[1] == form.tokens
    assert form.early.keep(form.tokens) == (form.leading or form.seen)
    logits, target = pupil.answers(batch)
    assert len(logits) == len(target) > 0


def test_the_shipped_form_is_read_as_in_service(base):
    tokenizer = HubTokenizer(base / "tokenizer.json")
    embedding = torch.randn(SMALL.vocab, SMALL.hidden)
    varied = FORM.projector(embedding, tokenizer.plain)
    served = WordProjector(embedding, tokenizer.plain, word_table(), THINGS, LOOK, CAPTION, SEEN)
    served.load_state_dict(varied.state_dict())
    clips = torch.rand(2, THINGS + SEEN, LOOK + 12)
    assert varied(clips).equal(served(clips))
    assert FORM.early.keep(FORM.tokens) == DROPOUT.stages[0].keep(CAPTION + SEEN)


def test_a_thing_is_summed_to_the_mean_of_what_spells_it(base):
    tokenizer = HubTokenizer(base / "tokenizer.json")
    embedding = torch.randn(SMALL.vocab, SMALL.hidden)
    projector = Form("summed", seen=0).projector(embedding, tokenizer.plain)
    ids = list(tokenizer.plain(" two dogs, cat"))
    captions = torch.tensor([ids + [-1] * (CAPTION - len(ids))])
    first, second, third, *_ = projector.tokens(captions, torch.zeros(1, 0, LOOK + 12))[0]
    comma = ids.index(*tokenizer.plain(","))
    torch.testing.assert_close(first, embedding[ids[:comma]].mean(dim=0))
    torch.testing.assert_close(second, embedding[ids[comma + 1 :]].mean(dim=0))
    assert third.equal(projector.blank)


def test_a_free_projector_does_not_know_the_language_models_words(base):
    tokenizer = HubTokenizer(base / "tokenizer.json")
    form = Form(anchored=False)
    one, other = torch.randn(2, SMALL.vocab, SMALL.hidden)
    made = []
    for embedding in (one, other):
        torch.manual_seed(1)
        projector = form.projector(embedding / embedding.std(), tokenizer.plain)
        made.append(
            projector.tokens(torch.tensor([[5] * CAPTION]), torch.zeros(1, SEEN, LOOK + 12))
        )
    torch.testing.assert_close(*made)


def test_every_form_is_asked_the_same(base):
    asked = [[(b.kinds, b.shows.target[b.shows.target >= 0].tolist()) for b in exam(base, f)] for f in FORMS]  # fmt: skip
    assert all(one == asked[0] for one in asked)


def test_notes_are_left_out_where_a_form_has_none(base):
    with_notes, without = (
        Maker(base, RECIPE.courses, 0.0, form).example(np.random.default_rng(4))
        for form in (FORM, replace(FORM, notes=False))
    )
    assert len(without.show.ids) < len(with_notes.show.ids)
    assert without.captions.equal(with_notes.captions)


def test_a_language_model_is_trained_whole_or_by_its_adapters_alone(base):
    def weights(rank):
        return {
            name for name, p in student(base, rank).decoder.named_parameters() if p.requires_grad
        }

    assert all(name.endswith((".up", ".down")) for name in weights(2))
    assert "model.layers.20.mlp.up_proj.weight" in weights(0)
    assert not any("embed" in name for name in weights(0))


def test_a_pointer_draws_answers_to_what_the_clips_spell(base):
    pupil, batch = student(base, 2), exam(base, FORM)[0]
    with torch.no_grad():
        logits, target = pupil.answers(batch)
    cost = torch.nn.functional.cross_entropy(logits, target, reduction="none")
    own = batch.shows.branch[batch.shows.target >= 0]
    (plain,), (drawn,) = told_of(pupil, batch), told_of(pupil, batch, 50.0)
    for number, (one, other) in enumerate(zip(plain, drawn, strict=True), start=1):
        assert one.cost == pytest.approx(cost[own == number].mean().item(), rel=1e-3)
        assert other.cost > one.cost, "what ends an answer is in no caption"


def test_shares_by_kind_are_those_of_the_answers(base):
    pupil = student(base, 2)
    batch = Batch.of([Maker(base, RECIPE.courses, 0.0).example(np.random.default_rng(n)) for n in range(4)])  # fmt: skip
    told = [one for stream in told_of(pupil, batch) for one in stream]
    assert [one.kind for one in told] == [kind for kinds in batch.kinds for kind in kinds]
    found = right_by_kind(pupil, [batch])
    assert found["right"] == sum(one.right for one in told) / len(told)
    assert set(found) == {"right", *(one.kind for one in told)}


def test_only_questions_that_one_has_right_say_which_is_better():
    base = [[Told("name", True, 1.0), Told("when", False, 2.0)], [Told("name", True, 1.0)]]
    varied = [[Told("name", False, 2.0), Told("when", True, 2.0)], [Told("name", True, 1.5)]]
    found = difference(varied, base)
    assert (found.gained, found.lost, found.chance, found.cost) == (1, 1, 1.0, 0.5)
    assert shares(varied)["name"][1].right == 1
    with pytest.raises(ValueError, match="other questions"):
        difference(varied[:1], base)


def test_a_split_is_as_unlikely_as_a_coins():
    assert sign_test(0, 0) == 1.0
    assert sign_test(5, 0) == sign_test(0, 5) == pytest.approx(2 / 32)
    assert sign_test(3, 2) == 1.0


def run(folder, *more):
    size = ["--steps=2", "--streams=1", "--longest=4", "--questions=3", "--exam=3"]
    done = CliRunner().invoke(ablate.app, [*more, *size, f"--folder={folder}"])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_variants_are_trained_once_and_compared(tmp_path, monkeypatch):
    said = run(tmp_path, "words", "pointer-3")
    rows = json.loads(said.splitlines()[-1])["variants"]
    assert list(rows) == ["baseline", "words", "pointer-3"]
    assert rows["baseline"]["against"] is None
    assert rows["words"]["against"]["within"] > 0
    monkeypatch.setattr(ablate, "learn_to_read", None)  # nothing is left to be trained
    assert run(tmp_path, "words", "pointer-3") == said


def test_an_unknown_variant_is_named(tmp_path):
    done = CliRunner().invoke(ablate.app, ["wrods", f"--folder={tmp_path}"])
    assert done.exit_code == 2
    assert "wrods" in done.output
