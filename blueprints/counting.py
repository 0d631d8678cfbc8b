"""What leaves no row is counted here as it happens; blueprints.figures reads it."""

from alma.monitoring.tallies import tallies

GENERATED, TOKENS, REFUSED = "blueprints.generated", "blueprints.tokens", "blueprints.refused"


def generated(*, tokens: int = 0) -> None:
    """Words have become a draft. `tokens` are those that a model wrote for it; the offline planner needs none."""
    tallies.add({GENERATED: 1, TOKENS: tokens})


def refused() -> None:
    """A document that somebody wanted to save breaks a rule."""
    tallies.add({REFUSED: 1})
