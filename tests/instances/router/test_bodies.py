"""Bodies are looked at and go on as they came: numbers are not rounded, what is no JSON is refused, what no model is told is dropped."""

import json
import re

import pytest

from alma.errors import BadRequest, Invalid
from instances.router.bodies import Body, Form
from instances.router.metering import Meter, UsageFilter

BAD = [
    b"", b"{", b"[]", b"5", b'{"a":1,}', b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":1} x', b"\xff\xfe", b'{"a" 1}', b'{"a":tru}',
    b'{"a":1', b"{a:1}", b'{"a":"\x01"}', b'{"a":"\\ud800\\u"}', b'{"a":[1,2}', b'{"a":' + b"[" * 100_000, b"\xef\xbb\xbf{}",
]  # fmt: skip


@pytest.mark.parametrize("raw", BAD, ids=[repr(raw[:12]) for raw in BAD])
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="not a JSON object"):
        Body.read(raw)


def test_values_keep_the_text_that_they_came_as() -> None:
    raw = b' {"seed" : 18446744073709551615, "temperature":0.10,\n"logit_bias":{"5":1e-7},"stop":["\\u00e9","\xc3\xa9"]}\n'
    body = Body.read(raw)
    body.put("model", "tiny")
    body.fill({"seed": 1, "top_k": 0})
    sent = body.raw()
    for text in (
        b'"seed":18446744073709551615',
        b'"temperature":0.10',
        b'{"5":1e-7}',
        b'["\\u00e9","\xc3\xa9"]',
        b'"top_k":0',
    ):
        assert text in sent
    assert json.loads(sent)["model"] == "tiny"


def test_the_last_of_two_members_of_one_name_counts_and_goes_on_alone() -> None:
    body = Body.read(b'{"model":"a","m\\u006fdel":"b"}')
    assert body.text("model") == "b"
    assert body.raw() == b'{"model":"b"}'


WRONG = [
    ('{"n":17}', "n: must be a whole number from 1 to 16"), ('{"n_probs":101}', "n_probs"), ('{"max_tokens":-2}', "max_tokens"),
    ('{"seed":18446744073709551616}', "seed"), ('{"n_keep":99999999999999999999999}', "n_keep"), ('{"top_logprobs":21}', "top_logprobs"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_numbers_out_of_bounds_are_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=re.escape(said)):
        Body.read(text.encode()).keep_known()


def test_what_no_model_is_told_is_dropped() -> None:
    body = Body.read(b'{"prompt":"x","n_discard":-5,"lora":[],"id_slot":1,"chat_template":"x","temperature":0}')
    body.keep_known()
    assert sorted(body.members) == ["prompt", "temperature"]
    assert sorted(body.dropped) == ["chat_template", "id_slot", "lora", "n_discard"]


@pytest.mark.parametrize(("name", "text"), [("model", "5"), ("model", "null "), ("stream", '"yes"'), ("stream", "1")])
def test_kinds_of_what_is_read(name: str, text: str) -> None:
    body = Body.read(f'{{"{name}":{text}}}'.encode())
    if text.strip() == "null":
        assert body.text(name) is None
        return
    with pytest.raises(Invalid, match=f"{name}: must be"):
        body.text(name) if name == "model" else body.flag(name)


def test_a_form_goes_on_with_the_name_of_the_instance_and_its_file_as_it_is() -> None:
    content = bytes(range(256)) * 10
    raw = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + content
        + b'\r\n--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nalias\r\n--x--\r\n'
    )  # fmt: skip
    form = Form(raw)
    assert form.model == "alias"
    assert form.raw("tiny") == raw.replace(b"alias", b"tiny")
    assert Form(b"nothing").model is None


STREAMS = {
    "openai": (b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"choices":[],"usage":{"completion_tokens":7,"prompt_tokens":5}}\n\n', (5, 7)),
    "llama.cpp": (b'data: {"choices":[{}],"timings":{"cache_n":4,"prompt_n":2,"predicted_n":9}}\n\ndata: [DONE]\n\n', (6, 9)),
    "anthropic": (
        b'event: message_start\ndata: {"message":{"usage":{"cache_read_input_tokens":3,"input_tokens":2,"output_tokens":0}}}\n\n'
        + b"x" * 9000 + b'event: message_delta\ndata: {"usage":{"output_tokens":8}}\n\n', (5, 8),
    ),
    "a text that looks like one": (b'data: {"choices":[{"delta":{"content":"\\"prompt_tokens\\": 99"}}]}\n\ndata: {}\n\n', (0, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_tokens_are_read_from_the_bytes_however_they_are_cut(name: str, size: int) -> None:
    raw, tokens = STREAMS[name]
    meter = Meter()
    for start in range(0, len(raw), size):
        meter.see(raw[start : start + size], is_stream=True)
    if size > 7 or name != "a text that looks like one":  # events are counted only as a last resort
        assert meter.tokens() == tokens


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_usage_that_nobody_asked_for_is_taken_out_again(size: int) -> None:
    kept = b'data: {"choices":[{"delta":{"content":"\\"usage\\" of []"}}]}\n\n'
    raw = kept + b'data: {"choices": [],"usage":{"prompt_tokens":5}}\n\ndata: [DONE]\n\n'
    filtered = UsageFilter()
    out = b"".join(filtered.feed(raw[start : start + size]) for start in range(0, len(raw), size)) + filtered.end()
    assert out == kept + b"data: [DONE]\n\n"
