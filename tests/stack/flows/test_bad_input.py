"""The story of `tests/flows/test_bad_input.py` on real servers."""

import pytest

from tests.flows.test_bad_input import *  # noqa: F403

pytestmark = pytest.mark.stack
