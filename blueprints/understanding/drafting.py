"""Words into a blueprint, by the planner and, where there is one, a model beside it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

from alma.accounts.actors import Actor
from alma.errors import Invalid
from blueprints import counting
from blueprints.generation import GeneratedBlueprint
from blueprints.generation.planner import GENERATOR
from blueprints.generation.stream import stream as told
from blueprints.models import Assistant
from blueprints.pricing import PriceList
from blueprints.understanding.asking import Outcome, ask, ask_here
from blueprints.understanding.merging import merged
from blueprints.understanding.outcomes import Badge, Status
from blueprints.understanding.proposals import Proposal, question
from blueprints.understanding.reading import Reading, read
from blueprints.understanding.sources import Source, source_for

Event = dict[str, Any]
PROGRESS_LETTERS = 200


@dataclass(frozen=True)
class Asking:
    """Who asks, at which prices, and whom, if not the model of the installation."""

    by: Actor
    prices: PriceList
    assistant: Assistant | None = None


def draft(description: object, constraints: object = None, *, about: Asking) -> GeneratedBlueprint:
    """The blueprint that follows from the words. BadRequest when they ask for something else, whatever a model would say."""
    reading, source = read(description, constraints, about.prices), source_for(about.by, about.assistant)
    if source is None or not reading.is_open:
        return _alone(reading, source)
    return _finished(reading, ask_here(source, question(reading)))


def stream(description: object, constraints: object = None, *, about: Asking) -> AsyncGenerator[Event, None]:
    """The same told step by step. Raises BadRequest before the first event."""
    reading, source = read(description, constraints, about.prices), source_for(about.by, about.assistant)
    return _told(reading, source)


async def _told(reading: Reading, source: Source | None) -> AsyncGenerator[Event, None]:
    if source is None or not reading.is_open:
        for event in told(_alone(reading, source)):
            yield event
        return
    yield {"type": "thinking", "content": "Analyzing requirements..."}
    yield {"type": "thinking", "content": f"Asking {source.name}..."}
    news: asyncio.Queue[int] = asyncio.Queue()
    task = asyncio.ensure_future(_with_model(reading, source, news.put_nowait))
    task.add_done_callback(lambda _: news.put_nowait(-1))
    try:
        shown = 0
        while (letters := await news.get()) >= 0:
            if letters >= shown + PROGRESS_LETTERS:
                shown = letters
                yield {"type": "progress", "content": f"{source.name} has written {letters} characters"}
        for event in list(told(task.result()))[1:]:
            yield event
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _with_model(
    reading: Reading, source: Source, progress: Callable[[int], None] = lambda _: None
) -> GeneratedBlueprint:
    return _finished(reading, await ask(source, question(reading), progress))


def _finished(reading: Reading, outcome: Outcome[Proposal]) -> GeneratedBlueprint:
    """The planner's blueprint with what the model adds, if that can be used."""
    counting.generated(tokens=outcome.badge.tokens)
    badge = outcome.badge
    if outcome.value is not None:
        try:
            document = merged(reading, outcome.value, badge.name)
        except Invalid as error:
            badge = Badge(
                badge.name, Status.GARBLED, f"It cannot be built: {error.message}", badge.rounds, badge.tokens
            )
        else:
            return _marked(document, badge)
    return _marked(reading.document, badge)


def _alone(reading: Reading, source: Source | None) -> GeneratedBlueprint:
    counting.generated()
    if source is None:
        return reading.document
    return _marked(reading.document, Badge(source.name, Status.NOT_ASKED, reading.why_closed))


def _marked(document: GeneratedBlueprint, badge: Badge) -> GeneratedBlueprint:
    metadata = document["metadata"] | {"model": badge.as_dict()}
    metadata.setdefault("differences", [])
    if badge.status is Status.USED:
        metadata["generated_by"] = f"{GENERATOR} with {badge.name}"
    marked: GeneratedBlueprint = {**document, "metadata": metadata}
    return marked
