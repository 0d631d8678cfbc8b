"""Parts that are more than the whole: "five web servers: three for the shop and four for the portal"."""

from django.utils.translation import gettext as _

from blueprints.generation.facts import Group
from blueprints.generation.walk import Walk


def ask_about_rest(walk: Walk, count: int) -> None:
    """So many are taken from machines of which fewer are left."""
    pool = next((group for group in reversed(walk.pools) if group.sentence == walk.sentence), None)
    if pool is not None and count > max(1, pool.count or 0):
        walk.request.ask(
            _(
                "The request contradicts itself: of the machines that it counts, %(left)s are left, and it goes on with %(count)s. "
                "How many are there in total?"
            )
            % {"left": pool.count or _("none"), "count": count}
        )


def ask_about_listed(walk: Walk, whole: Group, others: list[Group]) -> None:
    """ "Six VMs: four web servers and three databases"."""
    listed = [group for group in others if group.sentence == whole.sentence and group.count is not None]
    number = sum(group.count or 1 for group in listed)
    if len(listed) > 1 and whole.count is not None and number > whole.count:
        walk.request.ask(
            _(
                "The request contradicts itself: it counts %(count)s machines in total, and its parts add up to %(sum)s. "
                "Which of the two do you want?"
            )
            % {"count": whole.count, "sum": number}
        )
        walk.drop(whole)
