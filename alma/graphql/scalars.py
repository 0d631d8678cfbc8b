"""Values as the API writes them."""

from datetime import UTC, datetime
from typing import NewType

import strawberry
from strawberry.schema.config import StrawberryConfig

BigInt = NewType("BigInt", int)


def _written(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


CONFIG = StrawberryConfig(
    disable_field_suggestions=True,
    scalar_map={
        BigInt: strawberry.scalar(
            name="BigInt", description="A whole number beyond 32 bits.", serialize=int, parse_value=int
        ),
        datetime: strawberry.scalar(
            name="DateTime", description="UTC, to the second: 2025-11-16T10:30:00Z.", serialize=_written,
            parse_value=datetime.fromisoformat,
        ),
    },
)  # fmt: skip
