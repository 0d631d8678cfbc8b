"""What a model may say of a blueprint: the parts that the planner read, with the values that it would give them, and parts
for words that the planner did not read. Bounded by the blueprint's own types, and small, for it becomes a grammar."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from blueprints.generation.lexicon import table
from blueprints.understanding.asking import Question, schema_of
from blueprints.understanding.reading import Reading

MOST_PARTS, MOST_NEW = 12, 3
MOST_SOFTWARE, MOST_NEEDS = 3, 4
ROLES = tuple(sorted(set(table("roles")) - {"default"}))
SYSTEMS = tuple(sorted(set(table("systems")["systems"]) - {"windows", "freebsd"}))

Line = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9À-ž ,.()-]{0,120}$")]
Quote = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9À-ž ,.'()/+-]{0,60}$")]
PartName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Software = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.+-]{0,23}$")]
Role = Literal[ROLES]  # type: ignore[valid-type]
System = Literal[SYSTEMS]  # type: ignore[valid-type]


class Closed(BaseModel):
    """A shape with these fields and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ProposedPart(Closed):
    """Machines of one kind."""

    name: PartName
    words: Quote
    role: Role
    count: Annotated[int, Field(ge=1, le=200)]
    cpu: Annotated[int, Field(ge=1, le=256)]
    memory_gb: Annotated[int, Field(ge=1, le=4096)]
    disk_gb: Annotated[int, Field(ge=4, le=65_536)]
    os: System | None
    software: Annotated[list[Software], Field(max_length=MOST_SOFTWARE)]
    needs: Annotated[list[PartName], Field(max_length=MOST_NEEDS)]


class Proposal(Closed):
    """What the model would build."""

    summary: Line
    parts: Annotated[list[ProposedPart], Field(max_length=MOST_PARTS)]


TASK = """You check how a planner read a request for infrastructure, and fill in what the request leaves open.
`request` is what somebody wrote; `parts` is what the planner made of it: machines of one kind each. What stands in `settled` \
is said by the request and stays. Give every part again under its name, with the cpu, memory, disk, operating system and \
software that fit it best, and the names of the parts that it needs to be up first. If words of the request ask for machines \
that are in no part, add a part whose `words` are exactly those words; otherwise leave `words` empty. `summary` is one \
sentence about the whole."""


def question(reading: Reading) -> Question[Proposal]:
    """What a model is asked about a request."""
    data = {"request": reading.text, "parts": [_part(reading, label) for label in reading.labels[:MOST_PARTS]]}
    return Question("blueprint", TASK, data, Proposal, _schema(reading.labels[:MOST_PARTS]))


def _schema(labels: list[str]) -> dict[str, Any]:
    """The shape for this request: all of its parts, and a few more."""
    schema = schema_of(Proposal)
    own = schema["$defs"]["ProposedPart"]["properties"]
    own["name"] = {"anyOf": [{"type": "string", "enum": labels}, own["name"]]}
    shown = min(len(labels), MOST_PARTS)
    schema["properties"]["parts"] |= {"minItems": shown, "maxItems": min(shown + MOST_NEW, MOST_PARTS)}
    return schema


def _part(reading: Reading, label: str) -> dict[str, Any]:
    row = reading.rows(label)[0]
    specs = row["specs"]
    shown = {name: specs[name] for name in ("role", "cpu", "memory", "disk", "os", "software") if name in specs}
    needs = sorted({reading.label_of(name) for name in row["dependencies"]})
    return {"name": label, "count": reading.count(label), **shown, "needs": needs, "settled": reading.settled(label)}
