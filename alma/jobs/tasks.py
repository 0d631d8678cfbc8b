"""Entry points for the queue. The only task there is carries one id and means: look at this job and advance it."""

from alma.jobs import engine, services
from alma.jobs.beats import pulse


def advance(job_id: int) -> str:
    """Advance a job; queue it again when there is more to do."""
    pulse.feel()
    outcome = engine.advance(job_id)
    if outcome == "more to do":
        services.kick(job_id)
    pulse.feel()
    return outcome
