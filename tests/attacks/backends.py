"""Where the attacks are tried: always in bubblewrap, and in containers by `make attacks`."""

import pytest

from tests.conftest import ENGINE

__all__ = ["BACKENDS", "ENGINE"]
BACKENDS = ["bubblewrap", pytest.param(ENGINE, marks=pytest.mark.containers)]
