"""The story of `tests/flows/test_runs.py` on real servers."""

import pytest

from tests.flows.test_runs import *  # noqa: F403

pytestmark = pytest.mark.stack
