"""The only place that reads the environment. A bad value stops the start with a sentence that names the variable."""

import json
import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})
_kept: dict[str, str] = {}


def keep(path: Path) -> None:
    """From now on take from this file, a JSON object of texts, what the environment does not say."""
    try:
        _kept.update(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return
    except (OSError, ValueError, TypeError) as error:
        raise ImproperlyConfigured(f"{path} cannot be read as a JSON object of texts.") from error


def is_set(name: str) -> bool:
    """Whether the environment itself says it."""
    return name in os.environ


def text(name: str, default: str = "") -> str:
    """The variable as written, or the default when it is unset."""
    return os.environ.get(name, _kept.get(name, default))


def inherited() -> dict[str, str]:
    """The whole environment, to be handed on to a child process."""
    return dict(os.environ)


def flag(name: str, default: bool = False) -> bool:
    """A yes or no, in any usual spelling."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.strip().lower() in TRUE:
        return True
    if value.strip().lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def number(name: str, default: int, *, least: int | None = None, most: int | None = None) -> int:
    """A whole number within the bounds given."""
    raw = text(name)
    if not raw.strip():
        return default
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from error
    if (least is not None and value < least) or (most is not None and value > most):
        raise ImproperlyConfigured(f"{name} must lie between {least} and {most}, not {value}.")
    return value


def listing(name: str, default: str = "") -> list[str]:
    """Comma-separated words, blanks dropped."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def numbers(name: str, *, least: int, most: int) -> dict[str, int]:
    """Comma-separated `name=number`, each number within the bounds."""
    found: dict[str, int] = {}
    for word in listing(name):
        key, _, value = (part.strip() for part in word.partition("="))
        if not (key and value.isascii() and value.isdigit() and least <= int(value) <= most):
            raise ImproperlyConfigured(
                f"{name} must read like a=1,b=4 with numbers from {least} to {most}, not {word!r}."
            )
        found[key] = int(value)
    return found


def choice(name: str, default: str, *, among: tuple[str, ...]) -> str:
    """One of a few words."""
    word = text(name, default)
    if word not in among:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(among)}, not {word!r}.")
    return word


def ports(name: str, default: str = "") -> list[int]:
    """Comma-separated port numbers."""
    words = listing(name, default)
    if not all(word.isascii() and word.isdigit() and 0 < int(word) < 65536 for word in words):
        raise ImproperlyConfigured(f"{name} must list port numbers between 1 and 65535, not {text(name)!r}.")
    return [int(word) for word in words]


def span(name: str, default: str, *, least: int, most: int) -> tuple[int, int]:
    """Two whole numbers with a hyphen between them, the first not greater than the second."""
    raw = text(name, default)
    first, _, last = raw.partition("-")
    if not (first.strip().isdecimal() and last.strip().isdecimal() and least <= int(first) <= int(last) <= most):
        raise ImproperlyConfigured(f"{name} must read like {default}, within {least} and {most}, not {raw!r}.")
    return int(first), int(last)


def secret(name: str, default: str = "") -> str:
    """A secret, from the variable itself or from the file that <name>_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return text(name, default)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {error.strerror}.") from error


def kept_secret(path: Path) -> str:
    """A random secret that is made on first use and read ever after; many processes may start at once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)  # fails when another process was first: then theirs is the secret
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8")
