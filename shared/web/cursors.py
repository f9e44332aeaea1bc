"""Cursors as the composition names them."""

from shared.views.cursors import Cursors

__all__ = ["Cursors"]
