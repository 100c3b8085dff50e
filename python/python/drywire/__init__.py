"""Drywire: the compiled module that the packages of this distribution share.

Users import `drybox`; this package holds `_native` and says which version is installed.
"""

from drywire._native import __version__

__all__ = ["__version__"]
