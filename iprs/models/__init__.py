"""What is decided: requests, their plans, reviews and deployments."""

from iprs.models.answer import DriftAnswer
from iprs.models.deployment import Deployment
from iprs.models.ipr import IPR
from iprs.models.plan import Plan, PlanItem
from iprs.models.review import Review

__all__ = ["IPR", "Deployment", "DriftAnswer", "Plan", "PlanItem", "Review"]
