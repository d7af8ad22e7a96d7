"""Checks of published statistics against the numbers they were made from."""

from evidence.audit.recompute import Candidate, Recomputed, recompute

__all__ = ["Candidate", "Recomputed", "recompute"]
