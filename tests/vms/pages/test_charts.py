"""Figures as pictures, words and rows."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone

from tests.vms.pages.conftest import Make
from vms import metrics
from vms.metrics import Series
from vms.models import Cluster
from vms.pages.charts import FIGURES, HEIGHT, MOST_ROWS, WIDTH, ceiling, draw
from vms.proxmox.history import FIGURES as NAMES
from vms.proxmox.history import Moment

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
GIB = 2**30


def moment(minutes_ago: float, **told: float | None) -> Moment:
    return int(NOW.timestamp() - 60 * minutes_ago), dict.fromkeys(NAMES) | told


def hour(**told: float | None) -> list[Moment]:
    return [moment(ago, **told) for ago in range(60, -1, -1)]


def test_a_line_runs_over_the_period_and_up_to_its_top() -> None:
    chart = draw(Series([moment(60, cpu=0.0), moment(30, cpu=0.5), moment(0, cpu=1.0)], NOW), "1h").charts[0]
    points = [tuple(map(float, one.split(","))) for one in chart.lines[0].pieces[0].split()]
    assert [x for x, _ in points] == [0, WIDTH / 2, WIDTH]
    assert [y for _, y in points] == [HEIGHT - 4, HEIGHT / 2, 4]
    assert chart.lines[0].last == "100\N{NO-BREAK SPACE}%"
    assert chart.gaps == ()


def test_gaps_are_gaps() -> None:
    moments = [
        (at, told | {"cpu": None} if 20 <= place < 30 else told) for place, (at, told) in enumerate(hour(cpu=0.1))
    ]
    chart = draw(Series(moments, NOW), "1h").charts[0]
    assert len(chart.lines[0].pieces) == 2
    assert [(round(x), round(width)) for x, width in chart.gaps] == [(228, 132)], "from minute 19 to 30"
    assert chart.words.endswith("Nothing is known in 1 place.")


def test_a_young_machine_has_a_gap_before_its_birth() -> None:
    chart = draw(Series([moment(ago, cpu=0.2) for ago in range(15, -1, -1)], NOW), "1h").charts[0]
    assert chart.gaps == ((0.0, WIDTH * 0.75),)


def test_one_figure_alone_is_a_dot() -> None:
    chart = draw(Series([moment(30, cpu=0.2)], NOW), "1h").charts[0]
    (piece,) = chart.lines[0].pieces
    first, second = piece.split()
    assert first == second


def test_words_say_what_one_sees() -> None:
    moments = [moment(ago, cpu=ago / 100, netin=1024.0 * ago, netout=None) for ago in range(60, -1, -1)]
    cpu, _, disk, network = draw(Series(moments, NOW), "1h").charts
    assert cpu.words == (
        "CPU over the last hour: Used between 0 % and 60 %, 30 % on average, 0 % at last."
    ).replace(" %", "\N{NO-BREAK SPACE}%")  # fmt: skip
    assert disk.words == "Disk over the last hour: nothing was measured. Nothing is known in 1 place."
    assert "In between 0" in network.words
    assert "Out" not in network.words


def test_memory_is_shown_of_all_that_it_was_given() -> None:
    chart = draw(Series(hour(mem=2.0 * GIB, maxmem=8.0 * GIB), NOW), "1h").charts[1]
    assert [label for label, _ in chart.levels] == [
        f"{text}\N{NO-BREAK SPACE}{unit}" for text, unit in (("8", "GiB"), ("4", "GiB"), ("0", "B"))
    ]
    assert chart.lines[0].pieces[0].split()[0] == "0.0,103.0"


@pytest.mark.parametrize(
    ("value", "top"),
    [(0, 1), (1, 1), (3, 5), (600, 1000), (1000, 1000), (1024, 1024), (3000, 5 * 1024), (7 * 2**20, 10 * 2**20), (2**30, 2**30)],
)  # fmt: skip
def test_the_end_of_a_scale_is_round(value: float, top: float) -> None:
    assert ceiling(value) == top


def test_the_table_is_short_and_has_means_and_dashes() -> None:
    moments = [moment(10_000 - number, cpu=0.5 if number % 2 else None) for number in range(500)]
    drawing = draw(Series(moments, NOW), "30d")
    assert len(drawing.rows) <= MOST_ROWS
    assert drawing.rows[0][0] > drawing.rows[-1][0]
    assert drawing.rows[0][1][0] == "50\N{NO-BREAK SPACE}%"
    assert drawing.rows[0][1][-1] == "–"
    assert len(drawing.headings) == len(drawing.rows[0][1]) == 6


@pytest.mark.parametrize("period", metrics.PERIODS)
def test_each_period_has_its_ticks(period: str) -> None:
    drawing = draw(Series(hour(cpu=0.1), NOW), period)
    assert len(drawing.ticks) == 5
    assert len(drawing.charts) == len(FIGURES)


@pytest.mark.django_db
def test_the_part_shows_pictures_with_titles_and_a_table(site: Client, ours: Make) -> None:
    guest = ours()
    now = timezone.now()
    moments = [(int(now.timestamp()) - 60 * ago, dict.fromkeys(NAMES, 0.5)) for ago in range(60, -1, -1)]
    metrics.keep(guest, "1h", Series(moments, now))
    page = site.get(f"/vms/{guest.pk}/figures/?period=1h", HTTP_HX_REQUEST="true").content.decode()
    assert page.count("<svg viewBox") == 4
    assert len(re.findall(r"<title id=\"chart-\w+-title\">\w+</title><desc id=", page)) == 4
    assert "does not answer now: these are the figures as read" in page, (
        "nothing listens at the address of this cluster"
    )
    assert "As a table" in page
    assert "style=" not in page


@pytest.mark.django_db
def test_what_cannot_be_read_says_what_to_do(site: Client, ours: Make, place: Cluster) -> None:
    answer = site.get(f"/vms/{ours().pk}/figures/", HTTP_HX_REQUEST="true")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "The figures cannot be shown now" in page
    assert "Try again" in page
    assert f"/clusters/{place.slug}/checks/" in page


@pytest.mark.django_db
def test_the_page_itself_asks_no_cluster(site: Client, ours: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vms.metrics.DEADLINE", None)  # a call would not get as far as a connection
    guest = ours()
    page = site.get(f"/vms/{guest.pk}/").content.decode()
    assert f'hx-get="/vms/{guest.pk}/figures/" hx-trigger="load"' in page
    assert "skeleton" in page


@pytest.mark.django_db
def test_a_period_that_there_is_not_is_the_usual_one(site: Client, ours: Make) -> None:
    page = site.get(f"/vms/{ours().pk}/figures/?period=1y", HTTP_HX_REQUEST="true").content.decode()
    assert re.search(r'period=1h"[^>]*aria-current="true"', page)
