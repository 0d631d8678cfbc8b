"""The template tags of the design system."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from alma.templatetags import ui
from alma.templatetags.icons import ICONS
from alma.templatetags.statuses import ANYWHERE, BY_KIND, SYMBOL_ALIASES, SYMBOLS

TONES = ("ok", "warn", "bad", "run", "neutral")


def draw(source: str, path: str = "/", **context: object) -> str:
    request = context.pop("request", None) or RequestFactory().get(path)
    return Template("{% load ui %}" + source).render(Context({"request": request, **context}))


# -- tags -----------------------------------------------------------------------------------------
def test_icon_is_hidden_without_a_label() -> None:
    assert 'aria-hidden="true"' in draw('{% icon "check" %}')
    assert 'role="img" aria-label="Done"' in draw('{% icon "check" label="Done" %}')


def test_icon_unknown_name_fails() -> None:
    with pytest.raises(KeyError):
        ui.icon("no-such-icon")


def test_status_badge_has_word_shape_and_tone() -> None:
    badge = draw('{% status_badge "changes_requested" %}')
    assert "Changes requested" in badge
    assert "icon-ring-minus" in badge
    assert "tone-warn" in badge


@pytest.mark.parametrize(("kind", "tone"), [("vm", "ok"), ("step", "run"), ("", "run")])
def test_status_badge_same_word_differs_by_machine(kind: str, tone: str) -> None:
    assert f"tone-{tone}" in ui.status_badge("running", kind)


def test_status_badge_unknown_value_is_shown_and_escaped() -> None:
    badge = ui.status_badge("<b>odd</b>")
    assert "icon-question" in badge
    assert "<b>" not in badge


CONTRACT = {
    "ipr": "draft pending changes_requested approved rejected deploying deployed failed rolled_back cancelled",
    "deployment": "queued waiting_lock in_progress completed cancelling cancelled failed rolling_back rolled_back "
    "rollback_failed",
    "step": "pending running succeeded succeeded_with_warnings failed skipped cancelled compensating compensated "
    "compensation_failed",
    "job": "queued running completed failed cancelled cancelling executing waiting_approval",
    "vm": "creating stopped starting running stopping paused restarting snapshotting restoring backing_up migrating "
    "resizing deleting error unknown",
    "instance": "stopped starting running stopping restarting failed",
    "check": "pending running passed warned failed skipped overridden",
    "review": "submitted stale dismissed withdrawn superseded",
    "key": "active expiring expired revoked",
    "backup": "running completed verified expired failed cancelled creating available restoring deleting",
    "delivery": "pending delivered retrying dead",
}


@pytest.mark.parametrize("kind", CONTRACT)
def test_every_state_of_the_contract_has_a_look(kind: str) -> None:
    assert not set(CONTRACT[kind].split()) - set(ANYWHERE)


@pytest.mark.parametrize("kind", CONTRACT)
def test_final_states_of_a_machine_are_told_apart_without_colour(kind: str) -> None:
    good = {ui.look_of(state, kind).icon for state in CONTRACT[kind].split() if ui.look_of(state, kind).tone == "ok"}
    bad = {ui.look_of(state, kind).icon for state in CONTRACT[kind].split() if ui.look_of(state, kind).tone == "bad"}
    assert not good & bad


def test_looks_use_known_icons_and_tones() -> None:
    looks = [*ANYWHERE.values(), *(look for table in BY_KIND.values() for look in table.values())]
    assert {look.icon for look in looks} <= set(ICONS)
    assert {look.tone for look in looks} <= set(TONES)


@pytest.mark.parametrize(("given", "sign"), [("create", "+"), ("update", "~"), ("restart", "↻"), ("replace", "-/+"),
                                             ("delete", "−"), ("noop", "="), ("odd", "?"), ("DELETE", "−")])  # fmt: skip
def test_symbol_of_each_action(given: str, sign: str) -> None:
    assert f'aria-hidden="true">{sign}<' in ui.symbol(given)


@pytest.mark.parametrize(("alias", "action"), SYMBOL_ALIASES.items())
def test_symbol_accepts_signs_and_synonyms(alias: str, action: str) -> None:
    assert ui.symbol(alias) == ui.symbol(action)
    assert action in SYMBOLS


def test_counts_leave_out_zeroes_and_read_aloud() -> None:
    chip = ui.counts(create=2, delete=1)
    assert "+2" in chip
    assert "−1" in chip
    assert "1 to delete," in chip
    assert "~" not in chip
    assert "no changes" in ui.counts()


@pytest.mark.parametrize(
    ("name", "letters"), [("Ana Ruiz", "AR"), ("ci-deploy", "CD"), ("ana", "AN"), ("", "?"), (None, "?")]
)
def test_avatar_initials(name: str | None, letters: str) -> None:
    assert f">{letters}</span>" in ui.avatar(name)


def test_avatar_same_name_same_colour_and_escaped() -> None:
    assert ui.avatar("Ana") == ui.avatar("Ana")
    assert "<script" not in ui.avatar("<script>")


@pytest.mark.parametrize(
    ("value", "of", "shown"), [(4, 9, 44), (0, 9, 0), (12, 9, 100), (-1, 9, 0), (3, 0, 0), (999, 1000, 99)]
)
def test_progress_never_overstates(value: float, of: float, shown: int) -> None:
    assert f'value="{shown}"' in ui.progress(value, "Steps", of=of)


@pytest.mark.parametrize(("value", "said"), [(0, "0 B"), (1023, "1023 B"), (8 * 1024**3, "8 GiB"), (1536 * 1024**2, "1.5 GiB"),
                                             (20 * 1024**4, "20 TiB"), (None, "–"), ("", "–")])  # fmt: skip
def test_size(value: object, said: str) -> None:
    assert ui.size(value).replace("\N{NO-BREAK SPACE}", " ") == said


@pytest.mark.parametrize(("value", "said"), [(0, "0 s"), (59.9, "59 s"), (252, "4 min 12 s"), (7200, "2 h"), (90_061, "1 d 1 h"), (174_720, "2 d"),
                                             (timedelta(minutes=3), "3 min"), (-5, "0 s"), (None, "–")])  # fmt: skip
def test_duration(value: object, said: str) -> None:
    assert ui.duration(value).replace("\N{NO-BREAK SPACE}", " ") == said


@pytest.mark.parametrize(("back", "said"), [(5, "just now"), (60, "1 min ago"), (7200, "2 h ago"), (3 * 86_400, "3 d ago"),
                                            (-3600, "in 1 h"), (-5, "in a moment")])  # fmt: skip
def test_ago(back: int, said: str) -> None:
    shown = ui.ago(timezone.now() - timedelta(seconds=back)).replace("\N{NO-BREAK SPACE}", " ")
    assert f"data-relative>{said}</time>" in shown


def test_ago_old_dates_are_dates_and_utc_is_exact() -> None:
    shown = ui.ago(datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert 'datetime="2020-01-02T03:04:05Z"' in shown
    assert 'title="2020-01-02 03:04:05 UTC"' in shown
    assert ">2020-01-02</time>" in shown


def test_ago_reads_text_and_takes_nothing_for_nothing() -> None:
    assert "2020-01-02T03:04:05Z" in ui.ago("2020-01-02T03:04:05Z")
    assert ui.ago(None) == "–"
    assert ui.ago("never") == "–"


def test_elapsed_ticks_only_without_an_end() -> None:
    start = timezone.now() - timedelta(seconds=90)
    assert 'data-since="' in ui.elapsed(start)
    done = ui.elapsed(start, start + timedelta(seconds=61))
    assert "data-since" not in done
    assert "1\N{NO-BREAK SPACE}min 1\N{NO-BREAK SPACE}s" in done


def test_query_changes_drops_and_resets_the_page() -> None:
    assert draw('{% query status="approved" %}', "/iprs/?q=a&page=3") == "?q=a&amp;status=approved"
    assert draw('{% query q="" %}', "/iprs/?q=a&status=x") == "?status=x"
    assert draw("{% query page=2 %}", "/iprs/?q=a&page=1") == "?q=a&amp;page=2"


def test_query_escapes_what_the_address_brings() -> None:
    assert "<script>" not in draw("{% query page=2 %}", "/iprs/?q=%3Cscript%3E")


def test_pagination_keeps_filters_and_marks_the_page() -> None:
    page = Paginator(range(240), 25).page(3)
    shown = draw('{% pagination page "machines" %}', "/vms/?status=running", page=page)
    assert "51–75 of 240 machines" in shown
    assert '<span class="here" aria-current="page">3</span>' in shown
    assert "?status=running&amp;page=4" in shown


def test_pagination_of_one_page_has_no_links() -> None:
    assert "<a " not in draw("{% pagination page %}", page=Paginator(range(3), 25).page(1))
    assert "No results" in draw("{% pagination page %}", page=Paginator([], 25).page(1))


@pytest.mark.parametrize(("noun", "said"), [("jobs", "1 of 1 job<"), ("deliveries", "1 of 1 delivery<")])
def test_pagination_of_one_row_counts_in_the_singular(noun: str, said: str) -> None:
    assert said in draw(f'{{% pagination page "{noun}" %}}', page=Paginator([1], 25).page(1))


def test_current_marks_below_and_exact() -> None:
    assert draw('{% current "/iprs/" %}', "/iprs/12/") == 'aria-current="page"'
    assert draw('{% current "/" exact=True %}', "/iprs/") == ""


@pytest.mark.parametrize(("cookie", "shown"), [("dark", 'data-theme="dark"'), ("light", 'data-theme="light"'), ("system", ""),
                                               ('"><script>', ""), (None, "")])  # fmt: skip
def test_theme_from_cookie(cookie: str | None, shown: str) -> None:
    request = RequestFactory().get("/")
    request.COOKIES.update({"theme": cookie} if cookie else {})
    assert draw("{% theme %}", request=request) == shown


@pytest.mark.parametrize(
    ("details", "rows"),
    [
        (None, []),
        ({"name": ["too long", "taken"]}, [("name", "too long, taken")]),
        ([{"field": "specs.memory", "message": "no unit"}], [("specs.memory", "no unit")]),
        ([{"loc": ["resources", 0], "msg": "bad"}], [("resources.0", "bad")]),
        (["plain"], [("", "plain")]),
    ],
)
def test_detail_rows_of_any_shape(details: object, rows: list[tuple[str, str]]) -> None:
    assert ui.detail_rows(details) == rows
