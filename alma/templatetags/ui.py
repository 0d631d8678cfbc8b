"""Template tags of the design system; `templates/styleguide/` shows each in use."""

import re
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.core.paginator import Page
from django.http import QueryDict
from django.template.defaultfilters import stringfilter
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from alma.templatetags.icons import ICONS
from alma.templatetags.statuses import SYMBOL_ALIASES, SYMBOLS, look_of, words_of

register = template.Library()

THEMES = ("light", "dark")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_AVATAR_HUES = 8


# -- pictures and words ---------------------------------------------------------------------------
@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """An inline icon; without a label it is hidden from screen readers."""
    classes = f"icon icon-{name} {css}".strip()
    says = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    inside = mark_safe(ICONS[name])
    return format_html('<svg class="{}" viewBox="0 0 16 16" {}>{}</svg>', classes, says, inside)


@register.simple_tag
def status_badge(value: Any, kind: str = "", label: str = "") -> SafeString:
    """A state as shape, word and colour; `kind` names its machine (ipr, vm, step, …) where words differ."""
    look = look_of(str(value), kind)
    return format_html(
        '<span class="badge tone-{}" data-status="{}">{}<span>{}</span></span>',
        look.tone, value, icon(look.icon), label or words_of(str(value)),
    )  # fmt: skip


@register.simple_tag
def status_icon(value: Any, kind: str = "") -> SafeString:
    """The shape and colour of a state alone, with its word for screen readers and as a tooltip."""
    look, words = look_of(str(value), kind), words_of(str(value))
    inside = icon(look.icon, label=words)
    return format_html('<span class="status-icon tone-{}" title="{}">{}</span>', look.tone, words, inside)


@register.filter
@stringfilter
def tone(value: str, kind: str = "") -> str:
    """The tone of a state (ok, warn, bad, run, neutral), for a class of your own element."""
    return look_of(value, kind).tone


@register.filter
@stringfilter
def words(value: str) -> str:
    """An API value as people read it."""
    return words_of(value)


def action_of(value: Any) -> str:
    """The plan action behind a name or a symbol."""
    name = str(value).strip().lower()
    return name if name in SYMBOLS else SYMBOL_ALIASES.get(name, "unexplained")


@register.simple_tag
def symbol(action: Any) -> SafeString:
    """The sign of a plan action: + ~ ↻ -/+ − =."""
    name = action_of(action)
    sign, said = SYMBOLS[name]
    return format_html(
        '<span class="sym sym-{}" title="{}"><span aria-hidden="true">{}</span><span class="sr">{}</span></span>',
        name, words_of(said), sign, said,
    )  # fmt: skip


@register.simple_tag
def counts(create: int = 0, update: int = 0, replace: int = 0, delete: int = 0) -> SafeString:
    """What a plan does in one chip: +2 ~1 -/+1 −1; nothing at all reads «no changes»."""
    numbers = {"create": create, "update": update, "replace": replace, "delete": delete}
    shown = [(name, SYMBOLS[name][0], number, SYMBOLS[name][1]) for name, number in numbers.items() if number]
    if not shown:
        return mark_safe('<span class="counts"><span class="count sym-noop">= no changes</span></span>')
    parts = format_html_join(
        "",
        '<span class="count sym-{}"><span aria-hidden="true">{}{}</span><span class="sr">{} to {},</span></span>',
        ((name, sign, number, number, said) for name, sign, number, said in shown),
    )
    return format_html('<span class="counts">{}</span>', parts)


@register.simple_tag
def avatar(name: Any, css: str = "") -> SafeString:
    """Initials in a colour that is the same wherever the name appears."""
    text = str(name or "?").strip() or "?"
    pieces = re.split(r"[\s._@-]+", text)
    letters = (pieces[0][:1] + (pieces[1][:1] if len(pieces) > 1 else pieces[0][1:2])).upper()
    hue = zlib.crc32(text.encode()) % _AVATAR_HUES
    return format_html(
        '<span class="avatar hue-{} {}" title="{}" aria-hidden="true">{}</span>', hue, css, text, letters
    )


@register.simple_tag
def progress(value: float, label: str = "Progress", of: float = 100, tone: str = "") -> SafeString:
    """A determinate bar; `of` is what 100 % means."""
    share = min(max(float(value or 0) / float(of), 0.0), 1.0) if of else 0.0
    percent = int(share * 100)
    return format_html(
        '<progress class="progress {}" max="100" value="{}" aria-label="{}">{} %</progress>',
        f"is-{tone}" if tone else "", percent, label, percent,
    )  # fmt: skip


# -- numbers and times ----------------------------------------------------------------------------
@register.filter
def size(value: Any) -> str:
    """Bytes in binary units: 8589934592 is «8 GiB»."""
    if value in (None, ""):
        return "–"
    number, unit = float(value), 0
    while abs(number) >= 1024 and unit < len(_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    digits = f"{number:.1f}".rstrip("0").rstrip(".") if unit else f"{number:.0f}"
    return f"{digits}\N{NO-BREAK SPACE}{_UNITS[unit]}"


@register.filter
def parameters(count: int) -> str:
    """How large a model is, as its makers say it: 8030261248 is «8B»."""
    for unit, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if count >= unit:
            return f"{count / unit:.1f}".removesuffix(".0") + letter
    return str(count)


@register.filter
def percent(value: Any) -> str:
    """A share of 1 in whole percent: 0.354 is «35 %»."""
    return "–" if value in (None, "") else f"{round(float(value) * 100)}\N{NO-BREAK SPACE}%"


@register.filter
def duration(value: Any) -> str:
    """Seconds or a timedelta in its largest unit and the next: «4 min 12 s», «2 d» and not «2 d 32 min»."""
    if value in (None, ""):
        return "–"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    left = int(max(seconds, 0))
    parts: list[str] = []
    for length, unit in _SPANS:
        count, left = divmod(left, length)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}\N{NO-BREAK SPACE}{unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def moment_of(value: Any) -> datetime | None:
    """A datetime, or the text of one, as an aware datetime."""
    when = parse_datetime(value) if isinstance(value, str) else value
    if not isinstance(when, datetime):
        return None
    return when if timezone.is_aware(when) else timezone.make_aware(when)


def said_ago(seconds: float) -> str:
    """A distance in time in words; app.js says the same ones."""
    if abs(seconds) < 45:
        return "just now" if seconds >= 0 else "in a moment"
    for length, unit in ((60, "min"), (3_600, "h"), (86_400, "d")):
        count = round(abs(seconds) / length)
        if count < {"min": 60, "h": 24, "d": 30}[unit]:
            said = f"{max(count, 1)}\N{NO-BREAK SPACE}{unit}"
            return f"{said} ago" if seconds > 0 else f"in {said}"
    return ""


def stamp(when: datetime) -> tuple[str, str]:
    """The machine's and the exact reader's form of a time, both in UTC."""
    utc = when.astimezone(timezone.get_fixed_timezone(0))
    return utc.strftime("%Y-%m-%dT%H:%M:%SZ"), utc.strftime("%Y-%m-%d %H:%M:%S UTC")


@register.filter
def ago(value: Any) -> SafeString:
    """A relative time that app.js keeps fresh, with the exact UTC time on hover."""
    when = moment_of(value)
    if when is None:
        return mark_safe("–")
    machine, exact = stamp(when)
    said = said_ago((timezone.now() - when).total_seconds()) or when.strftime("%Y-%m-%d")
    return format_html('<time datetime="{}" title="{}" data-relative>{}</time>', machine, exact, said)


@register.simple_tag
def elapsed(since: Any, until: Any = None) -> SafeString:
    """How long something took, or, without an end, takes: then it ticks in the browser."""
    start, end = moment_of(since), moment_of(until)
    if start is None:
        return mark_safe("–")
    said = duration((end or timezone.now()) - start)
    machine, exact = stamp(start)
    ticking = mark_safe("") if end else format_html(' data-since="{}"', machine)
    return format_html('<time class="num" datetime="{}" title="since {}"{}>{}</time>', machine, exact, ticking, said)


@register.filter
def after(text: Any, start: str) -> str:
    """A message without the words that stand beside it already: «f1: it failed» after «f1» is «it failed»."""
    return str(text).removeprefix(f"{start}: ")


@register.filter
def detail_rows(details: Any) -> list[tuple[str, str]]:
    """The details of a DomainError as (place, sentence) rows, whatever shape they came in."""
    if isinstance(details, Mapping):
        return [(str(place), ", ".join(map(str, said)) if isinstance(said, list | tuple) else str(said))
                for place, said in details.items()]  # fmt: skip
    return [_detail_row(row) for row in details or () if row]


def _detail_row(row: Any) -> tuple[str, str]:
    """One row of a list of details: a sentence, or a mapping with a place and a message."""
    if not isinstance(row, Mapping):
        return "", str(row)
    place = row.get("field") or row.get("resource") or row.get("loc") or ""
    said = row.get("message") or row.get("msg") or row.get("detail") or ", ".join(map(str, row.values()))
    return ".".join(map(str, place)) if isinstance(place, list | tuple) else str(place), str(said)


# -- addresses ------------------------------------------------------------------------------------
@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The present query string with some values set, or dropped when empty; a new filter starts at the first page."""
    request = context.get("request")
    current: QueryDict = request.GET.copy() if request else QueryDict(mutable=True)
    for name in {"page", "cursor"} - changes.keys():
        current.pop(name, None)
    for name, value in changes.items():
        current.pop(name, None)
        if value not in (None, ""):
            current[name] = str(value)
    return f"?{current.urlencode()}"


@register.inclusion_tag("_shell/_pagination.html", takes_context=True)
def pagination(context: template.Context, page: Page, noun: str = "results") -> dict[str, Any]:
    """Links to the pages of a list; they keep its filters. The noun is a plural: one of them alone is called by its singular."""
    one = f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    said = one if page.paginator.count == 1 else noun
    return {"page": page, "numbers": numbers, "noun": said, "request": context.get("request")}


@register.simple_tag(takes_context=True)
def current(context: template.Context, *prefixes: str, exact: bool = False) -> SafeString:
    """`aria-current="page"` when the present address is, or lies under, one of these."""
    request = context.get("request")
    path = request.path if request else ""
    here = path in prefixes if exact else path.startswith(prefixes)
    return mark_safe('aria-current="page"') if here else mark_safe("")


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> SafeString:
    """`data-theme` for the root element from the cookie, so that no page flashes in the other theme."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request else ""
    return format_html('data-theme="{}"', chosen) if chosen in THEMES else mark_safe("")
