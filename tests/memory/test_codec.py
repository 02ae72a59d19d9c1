import contextlib
import struct
import tracemalloc

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from memory.codec import LARGEST, decode, encode
from memory.errors import CorruptData, EncoderMismatch
from model.types import ClipTokens

HEADER = 30
FRAMES = 4
times = st.floats(-1e9, 1e9)


def clip(values: torch.Tensor, start: float = 0.0, end: float = 4.0) -> ClipTokens:
    return ClipTokens(values=values, start=start, end=end)


@given(
    rows=st.integers(0, 9),
    width=st.integers(0, 9),
    span=st.tuples(times, times).map(sorted),
    encoder=st.text(min_size=1, max_size=60),
    seed=st.integers(0, 99),
)
@example(rows=0, width=8, span=[0.0, 0.0], encoder="lite", seed=0)
def test_decode_undoes_encode(rows, width, span, encoder, seed):
    values = torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)).half()
    whole = ClipTokens(values, *span, frames=1 + seed)
    back = decode(encode(whole, encoder), encoder)
    assert torch.equal(back.values, values)
    assert back.values.dtype == torch.float16
    assert [back.start, back.end] == span
    assert back.frames == 1 + seed


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_every_kind_of_number_is_rounded_as_torch_rounds(dtype):
    values = torch.randn(5, 7, generator=torch.Generator().manual_seed(1)).to(dtype)
    back = decode(encode(clip(values.T), "lite"), "lite")
    assert torch.equal(back.values, values.T.to(torch.float16))


def test_the_layout_is_little_endian_and_stays_as_it_is():
    data = encode(clip(torch.tensor([[1.0, -2.0]]), 1.5, 2.5), "umt")
    assert data == (
        b"FBCT\x02\x03" + struct.pack("<IIddIBH", 1, 2, 1.5, 2.5, 4, 16, 0) + b"umt\x00\x3c\x00\xc0"
    )


def test_what_version_1_wrote_is_read_and_its_clips_count_as_four_frames():
    written = b"FBCT\x01\x03" + struct.pack("<IIdd", 1, 2, 1.5, 2.5) + b"umt\x00\x3c\x00\xc0"
    back = decode(written, "umt")
    assert back.values.tolist() == [[1.0, -2.0]]
    assert (back.start, back.end, back.frames) == (1.5, 2.5, 4)


def test_a_clip_without_a_frame_is_corrupt():
    data = bytearray(encode(clip(torch.zeros(1, 1)), "lite"))
    data[HEADER : HEADER + FRAMES] = bytes(FRAMES)
    with pytest.raises(CorruptData, match="at least one frame"):
        decode(bytes(data), "lite")
    with pytest.raises(CorruptData, match="37 bytes at least"):
        decode(bytes(data[: HEADER + 1]), "lite")


@given(data=st.data(), form=st.sampled_from(["float16", "int8", "int4"]))
def test_damaged_bytes_are_refused_or_read_but_never_crash(data, form):
    sound = bytearray(encode(clip(torch.ones(4, 4)), "lite", form, 1))
    for _ in range(data.draw(st.integers(1, 4))):
        sound[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(sound)))
    with contextlib.suppress(CorruptData, EncoderMismatch):
        assert decode(bytes(sound[:cut]), "lite").values.shape.numel() <= 128


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_never_crash(data):
    with contextlib.suppress(CorruptData, EncoderMismatch):
        decode(data, "lite")


@given(rows=st.integers(0, 2**32 - 1), width=st.integers(0, 2**32 - 1))
@example(rows=2**31, width=2**31)
@example(rows=2**32 - 1, width=2**32 - 1)
def test_a_header_that_promises_much_takes_no_memory(rows, width):
    data = struct.pack("<4sBBIIdd", b"FBCT", 1, 1, rows, width, 0.0, 1.0) + b"x" + bytes(64)
    tracemalloc.start()
    with contextlib.suppress(CorruptData):
        decode(data, "x")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_what_is_larger_than_any_clip_is_refused_unread():
    with pytest.raises(CorruptData, match=str(LARGEST + 1)):
        decode(bytes(LARGEST + 1), "lite")
    with pytest.raises(ValueError, match="larger than"):
        encode(clip(torch.zeros(LARGEST // 16, 8)), "lite")


def test_tokens_of_another_encoder_are_not_read():
    data = encode(clip(torch.zeros(2, 2)), "umt-l")
    with pytest.raises(EncoderMismatch, match="'umt-l', and 'lite'"):
        decode(data, "lite")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 70_000.0])
def test_values_that_float16_cannot_hold_are_refused(value):
    with pytest.raises(ValueError, match="float16"):
        encode(clip(torch.full((1, 1), value)), "lite")


def test_stored_values_that_are_not_finite_are_corrupt():
    data = encode(clip(torch.zeros(1, 1)), "lite")[:-2] + b"\x00\x7c"
    with pytest.raises(CorruptData, match="not finite"):
        decode(data, "lite")


@pytest.mark.parametrize("span", [(2.0, 1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_impossible_times_are_corrupt(span):
    data = bytearray(encode(clip(torch.zeros(1, 1)), "lite"))
    data[HEADER - 16 : HEADER] = struct.pack("<dd", *span)
    with pytest.raises(CorruptData, match="impossible times"):
        decode(bytes(data), "lite")


def test_endless_times_are_not_written():
    with pytest.raises(ValueError, match="finite times"):
        encode(clip(torch.zeros(1, 1), 0.0, float("inf")), "lite")


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_an_encoder_needs_a_name_that_fits(name):
    with pytest.raises(ValueError, match="encoder's name"):
        encode(clip(torch.zeros(1, 1)), name)


def test_another_version_is_refused():
    data = bytearray(encode(clip(torch.zeros(1, 1)), "lite"))
    data[4] = 3
    with pytest.raises(CorruptData, match="version 3"):
        decode(bytes(data), "lite")


@given(
    rows=st.integers(0, 5),
    width=st.integers(0, 70),
    exact=st.integers(0, 12),
    form=st.sampled_from(["int8", "int4"]),
    power=st.integers(-12, 12),
    seed=st.integers(0, 99),
)
def test_fewer_bits_are_as_near_as_their_scale_and_exact_columns_are_exact(
    rows, width, exact, form, power, seed
):
    random = torch.Generator().manual_seed(seed)
    values = (torch.randn(rows, width, generator=random) * 2.0**power).half()
    exact = min(exact, width)
    values[:, width - exact :] = torch.randint(0, 2048, (rows, exact), generator=random).half()
    back = decode(encode(clip(values), "lite", form, exact), "lite").values
    assert torch.equal(back[:, width - exact :], values[:, width - exact :])
    coarse = values[:, : width - exact].float()
    if coarse.numel():
        largest = coarse.abs().amax(dim=1, keepdim=True)
        step = largest / (127 if form == "int8" else 7)
        off = (back[:, : width - exact].float() - coarse).abs()
        # Half a step; and the scale and what comes out are float16 numbers.
        assert bool((off <= step / 2 + largest * 2.0**-10 + 2.0**-24).all())


@pytest.mark.parametrize("form", ["int8", "int4"])
def test_the_largest_numbers_fit_into_fewer_bits(form):
    values = torch.tensor([[65504.0, -65504.0, 1.0, 0.0]])
    back = decode(encode(clip(values), "lite", form), "lite").values.float()
    assert torch.allclose(back[0, :2], values[0, :2], rtol=0.001)
    assert back[0, 3] == 0


def test_a_clip_in_int8_takes_half_of_float16_and_in_int4_half_of_that():
    whole = clip(torch.randn(64, 1024))
    sizes = {form: len(encode(whole, "umt", form)) for form in ("float16", "int8", "int4")}
    assert sizes["int8"] / sizes["float16"] < 0.51
    assert sizes["int4"] / sizes["float16"] < 0.29
    assert sizes["int8"] * 900 < 60_000_000


def test_an_unknown_form_is_corrupt():
    data = bytearray(encode(clip(torch.zeros(1, 1)), "lite"))
    data[HEADER + FRAMES] = 5
    with pytest.raises(CorruptData, match="5 bits"):
        decode(bytes(data), "lite")
