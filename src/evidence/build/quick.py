"""nbformat without the second that its import takes to compile grammars which no notebook needs.

The package that checks notebooks against their schema also knows internationalised addresses, and compiles
some forty grammars for them as soon as they are found. A notebook's schema has no such addresses.
"""

from __future__ import annotations

import sys

__all__ = ["nbformat"]

GRAMMARS = "rfc3987_syntax"

_loaded = sys.modules.get(GRAMMARS)
# Python's own sign for a module that is not to be had.
sys.modules[GRAMMARS] = _loaded  # type: ignore[assignment]
try:
    import nbformat
finally:
    if _loaded is None:
        del sys.modules[GRAMMARS]
