"""Folding: bounded whatever the age, a pure function of the clips, cut where the scene changes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.folding.fold import Fold, FoldPlan, Joining
from model.folding.thing_rows import ThingRows
from model.folding.visual_rows import VisualRows, merged, pruned, unit
from model.types import ClipTokens
from model.vision.things import Thing, pack, unpack

LOOK, THINGS, SEEN = 8, 8, 6


def clips_of(scenes, clips, seed=0):
    """So many clips of each scene, alike but for some noise."""
    torch.manual_seed(seed)
    shown = [torch.randn(4, 16) for _ in range(scenes)]
    return [
        ClipTokens((shown[n // clips] + 0.1 * torch.randn(4, 16)).half(), 4.0 * n, 4.0 * n + 3)
        for n in range(scenes * clips)
    ]


def named(*things, at=0):
    values = torch.zeros(THINGS + SEEN, LOOK + 12)
    values[:THINGS, LOOK:] = pack(things, THINGS)
    return ClipTokens(values.half(), 4.0 * at, 4.0 * at + 3)


def words(block):
    return [thing.word for thing in unpack(block.tokens.values[:THINGS, LOOK:].float())]


def folded(clips, plan, rows=None):
    fold = Fold(rows or VisualRows(), plan)
    for clip in clips:
        fold.add(clip)
    return fold


@given(most=st.integers(2, 40), count=st.integers(1, 120))
@settings(max_examples=15, deadline=None)
def test_the_list_is_never_longer_than_its_bound_and_loses_no_clip(most, count):
    fold = Fold(VisualRows(), FoldPlan.within(most))
    for number, clip in enumerate(clips_of(count, 1)):
        fold.add(clip)
        assert len(fold.blocks) < most
        assert sum(block.clips for block in fold.blocks) == number + 1
    assert sum(block.tokens.frames for block in fold.blocks) == 4 * count
    starts = [block.tokens.start for block in fold.blocks]
    assert starts == sorted(starts)
    assert (fold.blocks[0].tokens.start, fold.blocks[-1].tokens.end) == (0.0, 4.0 * count - 1)


@given(pace=st.lists(st.integers(0, 9), min_size=1, max_size=20))
@settings(max_examples=8, deadline=None)
def test_the_fold_is_the_same_however_ahead_it_was_prepared(pace):
    clips, plan = clips_of(12, 10), FoldPlan.within(32)
    at_once, ahead = folded(clips, plan), Fold(VisualRows(), plan)
    for number, clip in enumerate(clips):
        for _ in range(pace[number % len(pace)]):
            ahead.prepare()
        ahead.add(clip)
    assert [b.clips for b in ahead.blocks] == [b.clips for b in at_once.blocks]
    for one, other in zip(ahead.tokens, at_once.tokens, strict=True):
        assert one.values.equal(other.values)


def test_what_is_prepared_is_what_the_list_becomes():
    clips, plan = clips_of(10, 10), FoldPlan(32, keep=12, fresh=4)
    fold = folded(clips[:28], plan)
    assert fold.next_tokens is None
    while fold.prepare():
        pass
    for clip in clips[28:31]:
        fold.add(clip)
    prepared = fold.next_tokens
    assert fold.add(clips[31])
    assert len(prepared) == 12 + 3
    assert fold.tokens[:-1] == prepared


def test_a_stream_that_fits_is_left_as_it_is():
    clips = clips_of(3, 10)
    fold = folded(clips, FoldPlan.within(31))
    assert fold.folds == 0
    assert fold.tokens == clips


def test_scenes_are_joined_before_a_cut_is_crossed():
    clips = clips_of(6, 10)
    fold = folded(clips, FoldPlan(60, keep=6, fresh=0))
    assert [block.clips for block in fold.blocks] == [10] * 6


def test_older_moments_are_kept_less_exactly():
    fold = folded(clips_of(1, 2000), FoldPlan.within(64))
    sizes = [block.clips for block in fold.blocks]
    assert max(sizes[: len(sizes) // 4]) > 8 * max(sizes[-len(sizes) // 4 :])
    assert sizes[-8:] == [1] * 8


def test_nothing_is_joined_over_a_time_without_pictures_while_there_is_another_way():
    one, other = clips_of(1, 20), clips_of(1, 20)
    other = [ClipTokens(c.values, c.start + 3600, c.end + 3600) for c in other]
    blocks = folded([*one, *other], FoldPlan.within(100)).blocks
    joining = Joining(blocks, 2, VisualRows(), cut=2.0)
    while not joining.done:
        joining.step()
    assert [block.clips for block in joining.blocks] == [20, 20]


def test_pruning_leaves_rows_as_they_were_and_keeps_what_is_like_no_other():
    rows = torch.tensor([[1.0, 0, 0], [0.99, 0.1, 0], [0, 1, 0], [0, 0, 1], [0.98, 0, 0.1]]).numpy()
    left, sizes = pruned(unit(rows), torch.ones(5).numpy(), 3)
    assert left.tolist() == [0, 2, 3]
    assert sizes.tolist() == [3, 1, 1]


def test_merging_weighs_a_row_by_what_it_stands_for():
    rows = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0]]).numpy()
    means, sizes = merged(rows, torch.tensor([3.0, 1.0, 1.0]).numpy(), 2)
    assert means.tolist() == [[1.5, 0.0], [0.0, 1.0]]
    assert sizes.tolist() == [4, 1]


@pytest.mark.parametrize("way", ["prune", "merge"])
def test_a_block_has_as_many_rows_as_a_clip_and_they_stand_for_all_of_them(way):
    fold = folded(clips_of(5, 40), FoldPlan.within(32), VisualRows(way))
    for block in fold.blocks:
        assert block.tokens.values.shape == (4, 16)
        assert block.tokens.values.dtype == torch.float16
        assert block.sizes.sum() == 4 * block.clips


def test_a_thing_of_both_is_one_thing_as_the_surer_saw_it():
    rows = ThingRows(THINGS, LOOK, 4)
    clips = [named(Thing(3, sure=0.3), at=0), named(Thing(3, sure=1.0, count=2), Thing(5), at=1)]
    blocks = folded(clips, FoldPlan.within(9), rows).blocks
    joining = Joining(blocks, 1, rows)
    joining.step()
    (block,) = joining.blocks
    assert words(block) == [3, 5]
    three = unpack(block.tokens.values[:THINGS, LOOK:].float())[0]
    assert (three.sure, three.count) == (1.0, 2)
    assert block.sizes[:2].tolist() == [2, 1]


def test_of_too_many_things_those_stay_that_only_this_block_shows():
    usual = [Thing(n) for n in range(8)]
    clips = [named(*usual, at=n) for n in range(40)]
    clips[20:23] = [named(Thing(99), *usual[:3], at=n) for n in range(20, 23)]
    fold = folded(clips, FoldPlan(40, keep=4, fresh=0), ThingRows(THINGS, LOOK, 4))
    holding = next(b for b in fold.blocks if b.tokens.end >= 80)
    assert 99 in words(holding)


def test_what_came_once_is_a_block_of_its_own_however_many_usual_things_change_around_it():
    day = [Thing(n) for n in range(3)], [Thing(n) for n in range(3, 6)]  # two scenes, in turn
    clips = [named(*day[n // 10 % 2], at=n) for n in range(600)]
    clips[100:105] = [named(Thing(99), at=n) for n in range(100, 105)]
    fold = folded(clips, FoldPlan(40, keep=12, fresh=4), ThingRows(THINGS, LOOK, 4))
    (holding,) = [block for block in fold.blocks if 99 in words(block)]
    assert (holding.tokens.start, holding.tokens.end) == (400.0, 419.0)


def test_a_slip_of_one_clip_does_not_push_out_what_many_saw():
    rows = ThingRows(2, LOOK, 4)

    def two(*things, at):
        clip = named(*things, at=at)
        return ClipTokens(torch.cat([clip.values[:2], clip.values[THINGS:]]), clip.start, clip.end)

    clips = [two(Thing(1), Thing(2), at=n) for n in range(8)]
    clips[4] = two(Thing(77), Thing(2), at=4)
    joining = Joining(folded(clips, FoldPlan.within(99), rows).blocks, 1, rows)
    while not joining.done:
        joining.step()
    kept = unpack(joining.blocks[0].tokens.values[:2, LOOK:].float())
    assert sorted(thing.word for thing in kept) == [1, 2]


@pytest.mark.parametrize("numbers", [(4, 0, 0), (4, 2, 1), (4, 4, 0)])
def test_a_plan_that_would_leave_no_room_is_refused(numbers):
    with pytest.raises(ValueError, match="leaves a block and room"):
        FoldPlan(*numbers)
