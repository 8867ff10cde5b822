"""The story of `tests/flows/test_support_digest.py` on real servers."""

import pytest

from tests.flows.test_support_digest import *  # noqa: F403

pytestmark = pytest.mark.stack
