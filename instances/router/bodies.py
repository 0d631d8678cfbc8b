"""Bodies of requests, looked at without being written anew: each member keeps the text that it came as, so that a seed of
64 bits arrives as it was sent."""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn, Self

from alma.errors import BadRequest, Invalid
from instances.router.fields import check, is_known

_FIELD = re.compile(rb'[; ]name="model"\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]{1,200})\r\n--')
_BLANK = re.compile(r"[ \t\n\r]*")
LONGEST_NAME = 200


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)


class Body:
    """A JSON object as the text of each of its members; the last of several of one name counts."""

    def __init__(self, members: dict[str, str]) -> None:
        self.members = members
        self.dropped: list[str] = []

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Take a body apart. Raises BadRequest."""
        try:
            return cls(_members(raw.decode()))
        except UnicodeDecodeError as error:
            raise _not_json("it is not UTF-8") from error
        except RecursionError as error:
            raise _not_json("it is nested too deep") from error
        except IndexError as error:
            raise _not_json("it ends too early") from error
        except ValueError as error:
            raise _not_json(str(error)[:100]) from error

    def text(self, name: str) -> str | None:
        """The value of a member that is a text. Raises Invalid for another kind of value."""
        value = self.value(name)
        if value is not None and not (isinstance(value, str) and _is_whole(value)):
            raise _invalid(name, "must be a text")
        return value

    def flag(self, name: str) -> bool:
        """Whether a member is true. Raises Invalid for what is neither true nor false."""
        value = self.value(name)
        if value is not None and not isinstance(value, bool):
            raise _invalid(name, "must be true or false")
        return bool(value)

    def value(self, name: str) -> Any:
        """The value of a member; None where there is none."""
        return json.loads(self.members[name]) if name in self.members else None

    def put(self, name: str, value: Any) -> None:
        """Set a member."""
        self.members[name] = json.dumps(value)

    def fill(self, defaults: Mapping[str, Any]) -> None:
        """Set what is not there yet."""
        for name, value in defaults.items():
            if name not in self.members:
                self.put(name, value)

    def keep_known(self) -> None:
        """Drop the members that no model is told, and check the numbers among the others. Raises Invalid."""
        self.dropped = [name for name in self.members if not is_known(name)]
        for name in self.dropped:
            del self.members[name]
        for name, text in self.members.items():
            if wrong := check(name, text):
                raise _invalid(name, wrong)

    def raw(self) -> bytes:
        """The object, with every value as it came or was set."""
        return ("{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in self.members.items()) + "}").encode()


def _members(text: str) -> dict[str, str]:
    members: dict[str, str] = {}
    at = _after(text, _blank(text, 0), "{")
    if text[at] == "}":
        return _ended(text, at, members)
    while True:
        if text[at] != '"':
            raise ValueError(f"a name is expected at character {at}")
        name, at = _DECODER.raw_decode(text, at)
        begin = _after(text, _blank(text, at), ":")
        _, end = _DECODER.raw_decode(text, begin)
        members[name] = text[begin:end]
        at = _blank(text, end)
        if text[at] == "}":
            return _ended(text, at, members)
        at = _after(text, at, ",")


def _blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _is_whole(text: str) -> bool:
    """Whether it holds no half of a character, which JSON can write and UTF-8 cannot."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def _after(text: str, at: int, sign: str) -> int:
    """The place behind a sign that has to be here, and behind the blanks that follow it."""
    if text[at] != sign:
        raise ValueError(f"{sign} is expected at character {at}")
    return _blank(text, at + 1)


def _ended(text: str, at: int, members: dict[str, str]) -> dict[str, str]:
    if _blank(text, at + 1) != len(text):
        raise ValueError(f"there is more behind its end at character {at}")
    return members


def _not_json(why: str) -> BadRequest:
    return BadRequest(f"The body is not a JSON object: {why}.", code="INVALID_JSON")


def _invalid(name: str, reason: str) -> Invalid:
    return Invalid(f"{name}: {reason}", details=[{"field": name[:100], "message": reason}])


class Form:
    """A form with files, of which the model alone is read; the rest goes on as it came."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._found = _FIELD.search(raw)

    @property
    def model(self) -> str | None:
        """The field `model`."""
        return self._found[1].decode(errors="replace") if self._found else None

    def raw(self, model: str) -> bytes:
        """The form with another name for the model."""
        if self._found is None:
            return self._raw
        begin, end = self._found.span(1)
        return self._raw[:begin] + model.encode() + self._raw[end:]
