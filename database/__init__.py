"""The truth: tables, `transaction()`, and every query by noun.

Every query function takes `(tx, ctx, ...)` and gives frozen values; a missing row and a foreign
row are the same `NotFound`. Rows never leave this room.
"""

from database.engine import Database, Tx
from database.pages import Page

__all__ = ["Database", "Page", "Tx"]
