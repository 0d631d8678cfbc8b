"""Erlang's formulas against sums worked by hand."""

import pytest

from blueprints.tools.queueing import Goal, Station, carried, erlang_b, erlang_c, needed


def test_two_erlangs_on_three_servers() -> None:
    """a = 2, c = 3. B = (2³/3!) / (1 + 2 + 2²/2 + 2³/6) = (4/3) / (19/3) = 4/19.
    C = (4/3 × 3/(3-2)) / (1 + 2 + 2 + 4/3 × 3) = 4/9."""
    assert erlang_b(2, 3) == pytest.approx(4 / 19)
    assert erlang_c(2, 3) == pytest.approx(4 / 9)


def test_one_server_is_m_m_1() -> None:
    """rho = 0.5: waiting has the probability 0.5, the mean wait is rho / (1 - rho) × S = S."""
    station = Station(arrival=5, service=0.1, servers=1)
    assert (station.waiting, station.mean_wait) == (pytest.approx(0.5), pytest.approx(0.1))
    assert station.beyond(0.2) == pytest.approx(0.5 * 2.718281828**-1)


def test_the_fewest_servers_that_are_quick_enough() -> None:
    """100 a second of 25 ms are 2.5 erlangs; 2.5 / 0.7 = 3.6, so four are tried first. B(4) = 0.149916,
    C = 0.149916 / (1 - 0.625 × 0.850084) = 0.319857; P(wait > 0.1 s) = C × exp(-1.5 × 4) = 0.000793."""
    station = needed(100, 0.025, Goal())
    assert station.servers == 4
    assert station.waiting == pytest.approx(0.319857, abs=1e-6)
    assert station.mean_wait == pytest.approx(0.319857 * 0.025 / 1.5, abs=1e-6)
    assert station.beyond(0.1) == pytest.approx(0.000793, abs=1e-6)


def test_waiting_asks_for_more_servers_than_utilisation() -> None:
    """One erlang, nobody may be found waiting in more than one of a hundred: two servers are half busy, and a third waits."""
    goal = Goal(wait=1e-9, share=0.01)
    assert erlang_c(1, 2) == pytest.approx(1 / 3)
    found = needed(10, 0.1, goal)
    assert found.servers == 5
    assert erlang_c(1, 4) > 0.01 > erlang_c(1, 5)


def test_what_servers_carry_is_what_needs_them() -> None:
    for servers in (1, 2, 7, 40):
        most = carried(servers, 0.05, Goal())
        assert needed(most, 0.05, Goal()).servers == servers
        assert needed(most + 0.5, 0.05, Goal()).servers > servers


def test_a_queue_without_end() -> None:
    station = Station(arrival=30, service=0.1, servers=3)
    assert (station.waiting, station.beyond(1), station.mean_wait) == (1.0, 1.0, float("inf"))
    with pytest.raises(OverflowError):
        needed(1e9, 1, Goal())
