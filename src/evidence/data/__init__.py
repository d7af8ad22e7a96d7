"""Tidy tables, read from a folder of CSV files, validated and completed."""

from evidence.data import fingerprints, values  # noqa: F401 - say how what is loaded is hashed
from evidence.data.dataset import Dataset
from evidence.data.folder import dataset, load

__all__ = ["Dataset", "dataset", "load"]
