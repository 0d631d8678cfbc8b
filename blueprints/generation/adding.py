"""Parts that are more than the whole: "five web servers: three for the shop and four for the portal"."""

from blueprints.generation.facts import Group
from blueprints.generation.walk import Walk


def ask_about_rest(walk: Walk, count: int) -> None:
    """So many are taken from machines of which fewer are left."""
    pool = next((group for group in reversed(walk.pools) if group.sentence == walk.sentence), None)
    if pool is not None and count > max(1, pool.count or 0):
        walk.request.ask(
            f"The request contradicts itself: of the machines that it counts, {pool.count or 'none'} are left, and it goes"
            f" on with {count}. How many are there in total?"
        )


def ask_about_listed(walk: Walk, whole: Group, others: list[Group]) -> None:
    """ "Six VMs: four web servers and three databases"."""
    listed = [group for group in others if group.sentence == whole.sentence and group.count is not None]
    number = sum(group.count or 1 for group in listed)
    if len(listed) > 1 and whole.count is not None and number > whole.count:
        walk.request.ask(
            f"The request contradicts itself: it counts {whole.count} machines in total, and its parts add up to {number}."
            " Which of the two do you want?"
        )
        walk.drop(whole)
