"""Checks of published figures against every other figure that constrains them."""

from evidence.audit.finding import Check, Finding
from evidence.audit.recompute import Candidate, Recomputed, recompute
from evidence.audit.run import CHECKS, audit

__all__ = ["CHECKS", "Candidate", "Check", "Finding", "Recomputed", "audit", "recompute"]
