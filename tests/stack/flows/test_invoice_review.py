"""The story of `tests/flows/test_invoice_review.py` on real servers."""

import pytest

from tests.flows.test_invoice_review import *  # noqa: F403

pytestmark = pytest.mark.stack
