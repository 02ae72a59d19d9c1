"""What almost is what it should be: a good one, cut, doubled, mixed with another, with other numbers."""

from hypothesis import strategies as st

NASTY = (
    b"", b"\x00", b"\xff", b"\r\n", b"\n", b"-1", b"0", b"4294967296", b"1e999", b"NaN", b"%00", b"..",
    b"\xf0\x9f\x92\xa9", b"\xed\xa0\x80", b'"', b"{", b"]", b"=", b":", b"#", b"@", b" ", b"a" * 300,
)  # fmt: skip


@st.composite
def mutated(draw, *seeds: bytes, most: int = 8) -> bytes:
    """Return one of `seeds` after up to `most` changes."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, most))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        match draw(st.sampled_from(("cut", "double", "other", "nasty", "bytes", "flip"))):
            case "cut":
                del data[start:end]
            case "double":
                data[start:start] = data[start:end] * draw(st.integers(1, 20))
            case "other":
                other = draw(st.sampled_from(seeds))
                at = draw(st.integers(0, len(other)))
                data[start:end] = other[at : at + 40]
            case "nasty":
                data[start:end] = draw(st.sampled_from(NASTY))
            case "bytes":
                data[start:end] = draw(st.binary(max_size=20))
            case "flip" if data:
                data[start % len(data)] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)


@st.composite
def mutated_text(draw, *seeds: str, most: int = 8) -> str:
    """Return the same of text; what is no UTF-8 after that is replaced."""
    raw = draw(mutated(*(seed.encode() for seed in seeds), most=most))
    return raw.decode("utf-8", "replace")


def lines_of(*texts: str):
    """Return a strategy for texts made of the lines of others, in any order and number."""
    lines = sorted({line for text in texts for line in text.splitlines()})
    return st.lists(st.sampled_from(lines), max_size=60).map("\r\n".join)
