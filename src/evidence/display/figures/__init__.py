"""Builders of figures: tidy data and parameters in, drawings with caption and alternative text out."""
