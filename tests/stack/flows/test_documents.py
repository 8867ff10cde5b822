"""The story of `tests/flows/test_documents.py` on real servers."""

import pytest

from tests.flows.test_documents import *  # noqa: F403

pytestmark = pytest.mark.stack
