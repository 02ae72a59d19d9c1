"""What a detector's maps hold is told once each, with its kind and place."""

import pytest
import torch

from model.vision.networks.detections import KINDS, detect


def maps(*peaks, height=16, width=32):
    """Flat maps with a peak for each (kind, y, x, score), and (left, up, right, down) in pixels."""
    heat, sizes = torch.zeros(80, height, width), torch.zeros(4, height, width)
    for kind, y, x, score, *reach in peaks:
        heat[kind, y, x] = score
        sizes[:, y, x] = torch.tensor(reach[0] if reach else (4.0, 4.0, 4.0, 4.0))
    return heat, sizes


def test_things_are_told_the_surest_first_with_kind_score_and_box():
    things = detect(*maps((16, 4, 8, 0.5, (16, 8, 32, 24)), (0, 8, 20, 0.75, (8, 4, 8, 4))))
    assert [KINDS[k] for k in things.kinds] == ["person", "dog"]
    torch.testing.assert_close(things.scores, torch.tensor([0.75, 0.5]))
    expected = [[18 / 32, 7 / 16, 22 / 32, 9 / 16], [4 / 32, 2 / 16, 16 / 32, 10 / 16]]
    torch.testing.assert_close(things.boxes, torch.tensor(expected))


def test_a_thing_at_the_edge_ends_there():
    things = detect(*maps((0, 0, 31, 0.5, (400, 400, 400, 400))))
    assert things.boxes.tolist() == [[0, 0, 1, 1]]


def test_what_is_below_the_threshold_is_not_told_and_what_is_at_it_is():
    things = detect(*maps((0, 4, 4, 0.25), (1, 4, 12, 0.5)), threshold=0.5)
    assert things.kinds.tolist() == [1]


def test_a_neighbour_of_a_peak_of_its_kind_is_no_peak_and_one_of_another_kind_is():
    tiny = (1.0, 1.0, 1.0, 1.0)
    things = detect(*maps((0, 4, 4, 0.9, tiny), (0, 5, 5, 0.8, tiny), (1, 5, 5, 0.7, tiny)))
    assert things.kinds.tolist() == [0, 1]


def test_two_peaks_of_a_kind_with_nearly_the_same_box_are_one_thing():
    large = (24.0, 24.0, 24.0, 24.0)
    assert len(detect(*maps((0, 8, 10, 0.9, large), (0, 8, 12, 0.8, large))).kinds) == 1
    assert len(detect(*maps((0, 8, 10, 0.9, large), (1, 8, 12, 0.8, large))).kinds) == 2
    assert len(detect(*maps((0, 8, 10, 0.9), (0, 8, 12, 0.8))).kinds) == 2


def test_only_the_surest_are_told_where_there_are_too_many():
    things = detect(*maps(*((0, 8, 3 * n, 0.3 + n / 20) for n in range(10))), most=3)
    torch.testing.assert_close(things.scores, torch.tensor([0.75, 0.70, 0.65]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_an_empty_picture_has_no_things(dtype):
    heat, sizes = maps()
    things = detect(heat.to(dtype), sizes.to(dtype))
    assert [len(part) for part in things] == [0, 0, 0]
    assert things.boxes.shape == (0, 4)
    assert things.scores.dtype == torch.float32
