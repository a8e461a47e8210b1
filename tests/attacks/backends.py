"""Where the attacks are tried: always in bubblewrap, and in podman by `make attacks`."""

import pytest

BACKENDS = ["bubblewrap", pytest.param("podman", marks=pytest.mark.containers)]
