"""Whose fault a refusal is, and what of it the log keeps. The sentences are llama.cpp's own, but for the last two."""

import pytest

from instances.router.refusals import is_of_the_request, unquoted


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("'messages' is required", "'messages' is required"),
        ('"query" must be a string', '"query" must be a string'),
        ("Failed to parse messages: Missing 'role' in message: {\"content\":\"a secret\"}",
         "Failed to parse messages: Missing 'role' in message …"),
        ("[json.exception.parse_error.101] parse error at line 1: invalid string; last read: '\"a secret'",
         "[json.exception.parse_error.101] parse error at line 1: invalid string; last read …"),
        ("JSON schema error at #/properties/secret: unrecognized type", "JSON schema error …"),
        ("request (20022 tokens) exceeds the available context size (4096 tokens), try increasing it",) * 2,
        ("The model's context is too small.",) * 2,
        ("[{'loc': ('body',), 'input': 'a secret'}]", "[ …"),
    ],
)  # fmt: skip
def test_log_keeps_nothing_that_is_quoted(message: str, kept: str) -> None:
    assert unquoted(message) == kept


@pytest.mark.parametrize(
    ("message", "is_so"),
    [
        ("'messages' is required", True),
        ("Failed to parse messages: Missing 'role' in message: {}", True),
        ("image input is not supported - hint: you may need to provide the mmproj", True),
        ("Compute error.", False),
        ("the word: 'messages' is required", False),
    ],
)
def test_whose_fault_it_is(message: str, is_so: bool) -> None:
    assert is_of_the_request(message) is is_so
