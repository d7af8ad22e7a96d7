"""Builders of tables: tidy data and parameters in, captioned tables out."""
