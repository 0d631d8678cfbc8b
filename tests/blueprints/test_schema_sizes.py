"""Sizes: every spelling means the same bytes, and what is ambiguous is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.schema.sizes import GIB, MIB, TIB, format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8GB", 8 * GIB),
        ("8192 MB", 8 * GIB),
        ("8 GiB", 8 * GIB),
        ("8g", 8 * GIB),
        (" 8 gigs ", 8 * GIB),
        ("0.5TB", TIB // 2),
        ("0,5 To", TIB // 2),
        ("512MiB", 512 * MIB),
        ("512 Mo", 512 * MIB),
        ("1t", TIB),
    ],
)
def test_size_spelling(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("value", ["8", "8.5", 8, 8.5])
def test_size_without_unit_is_ambiguous(value: object) -> None:
    with pytest.raises(ValueError, match="has no unit and may mean MB or GB"):
        parse_size(value)


@pytest.mark.parametrize(
    "value", ["", "GB", "eight GB", "8 apples", "-4GB", "1,024 MB", True, None, [], {}, "8GB\0", "8" * 99 + "GB"]
)
def test_size_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_size(value)


@given(st.integers(min_value=1, max_value=2**50))
def test_size_whole_megabytes_survive_formatting(megabytes: int) -> None:
    size = min(megabytes, 2**33) * MIB
    assert parse_size(format_size(size)) == size
