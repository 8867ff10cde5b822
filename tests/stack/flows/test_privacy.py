"""The stories of `tests/flows/test_privacy.py` on real servers."""

import pytest

from tests.flows.test_privacy import *  # noqa: F403

pytestmark = pytest.mark.stack
