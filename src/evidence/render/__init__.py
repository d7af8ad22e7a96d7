"""From a staged project to pages: Quarto where it is, else the built-in renderer."""

from __future__ import annotations

from evidence.render.lint import lint
from evidence.render.main import Format, Rendered, Renderer, program_for, render

__all__ = ["Format", "Rendered", "Renderer", "lint", "program_for", "render"]
