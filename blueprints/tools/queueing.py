"""Erlang's formulas: how many servers keep waiting short. The system is M/M/c: arrivals at random, service times exponential, one
queue, first come first served.

    a  = arrival rate × mean service time                        offered load, in erlangs
    B(0) = 1,  B(c) = a B(c-1) / (c + a B(c-1))                  all c servers are busy, and nobody waits (Erlang B)
    C(c) = B(c) / (1 - (a / c) (1 - B(c)))                       an arrival has to wait (Erlang C), for a < c
    P(wait > t) = C(c) exp(-(c - a) t / service time)
    mean wait   = C(c) × service time / (c - a)
"""

from dataclasses import dataclass
from math import ceil, exp, floor

MOST_SERVERS = 100_000
_GRAIN = 1e-9
"""What the last bits of a division may be off."""


@dataclass(frozen=True)
class Goal:
    """At most `share` of the requests wait longer than `wait` seconds, and no server is busier than `utilisation`."""

    wait: float = 0.1
    share: float = 0.05
    utilisation: float = 0.7


@dataclass(frozen=True)
class Station:
    """So many servers under a load; times in seconds."""

    arrival: float
    service: float
    servers: int

    @property
    def load(self) -> float:
        """Erlangs."""
        return self.arrival * self.service

    @property
    def utilisation(self) -> float:
        """Of each server, 0 to 1."""
        return self.load / self.servers

    @property
    def waiting(self) -> float:
        """The probability that a request has to wait; 1 where the queue grows without end."""
        return erlang_c(self.load, self.servers)

    @property
    def mean_wait(self) -> float:
        """Seconds in the queue. Infinite where it grows without end."""
        return self.waiting * self.service / (self.servers - self.load) if self.load < self.servers else float("inf")

    def beyond(self, wait: float) -> float:
        """The share of requests that wait longer."""
        if self.load >= self.servers:
            return 1.0
        return self.waiting * exp(-(self.servers - self.load) * wait / self.service)

    def meets(self, goal: Goal) -> bool:
        """Whether it is fast enough."""
        return self.utilisation <= goal.utilisation + _GRAIN and self.beyond(goal.wait) <= goal.share


def erlang_b(load: float, servers: int) -> float:
    """The probability that all servers are busy where nobody waits."""
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked


def erlang_c(load: float, servers: int) -> float:
    """The probability of waiting."""
    if load >= servers:
        return 1.0
    blocked = erlang_b(load, servers)
    return blocked / (1 - load / servers * (1 - blocked))


def needed(arrival: float, service: float, goal: Goal) -> Station:
    """The fewest servers that meet the goal. Raises OverflowError beyond MOST_SERVERS."""
    load = arrival * service
    if load / goal.utilisation > MOST_SERVERS:
        raise OverflowError("the load is larger than a hundred thousand servers")
    station = Station(arrival, service, max(1, ceil(load / goal.utilisation - _GRAIN)))
    while not station.meets(goal):
        station = Station(arrival, service, station.servers + 1)
    return station


def carried(servers: int, service: float, goal: Goal) -> float:
    """The most arrivals a second that so many servers take within the goal, to a hundredth below."""
    low, high = 0.0, servers * goal.utilisation / service
    if Station(high, service, servers).meets(goal):
        return floor(high * 100 + _GRAIN) / 100
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if Station(middle, service, servers).meets(goal) else (low, middle)
    return floor(low * 100 + _GRAIN) / 100
