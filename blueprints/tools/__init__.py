"""The thirteen tools. To name their modules here is what enters them in the register."""

from blueprints.tools import (
    auditing,
    capacity,
    differences,
    drafting,
    estimating,
    forecasting,
    migrating,
    planning,
    saving,
    suggesting,
    troubleshooting,
    validating,
)
from blueprints.tools.register import NAMES, REGISTER, Result, Tool, tools
from blueprints.tools.running import READ, execute, find, run

MODULES = (
    auditing, capacity, differences, drafting, estimating, forecasting, migrating, planning, saving, suggesting,
    troubleshooting, validating,
)  # fmt: skip

__all__ = ["MODULES", "NAMES", "READ", "REGISTER", "Result", "Tool", "execute", "find", "run", "tools"]
