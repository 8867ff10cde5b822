"""Questions over sheets and tables, computed exactly from the cells that the answer names.

A question is computed only when every word of it is understood: as a column, a value, a date, a
number or a word of grammar. All others go the usual way.
"""

from agents.answers.tables.asking import asks_for_tables, computed

__all__ = ["asks_for_tables", "computed"]
