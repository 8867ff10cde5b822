"""The story of `tests/flows/test_contract.py` on real servers."""

import pytest

from tests.flows.test_contract import *  # noqa: F403

pytestmark = pytest.mark.stack
