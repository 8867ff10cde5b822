"""Hostile and broken files, each with the ends that fit it; made here, none is anybody's."""

from __future__ import annotations

from tests.ingestion.bad.case import LIMITED, Case
from tests.ingestion.bad.mails import CASES as MAILS
from tests.ingestion.bad.names import CASES as NAMES
from tests.ingestion.bad.packages import CASES as PACKAGES
from tests.ingestion.bad.papers import CASES as PAPERS
from tests.ingestion.bad.pictures import CASES as PICTURES
from tests.ingestion.bad.second import CASES as SECOND
from tests.ingestion.bad.texts import CASES as TEXTS
from tests.ingestion.bad.third import CASES as THIRD
from tests.ingestion.bad.truncated import CASES as TRUNCATED

__all__ = ["CASES", "LIMITED", "Case"]

CASES = (*PAPERS, *PACKAGES, *PICTURES, *TEXTS, *MAILS, *NAMES, *TRUNCATED, *SECOND, *THIRD)
