"""How far below a sample's mean all but few of what follows it will lie: tolerance bounds.

Of `n` normal numbers with mean m and sample deviation s, the one-sided lower tolerance bound

    m - k * s,    k = t'_{n-1}(confidence; z_p * sqrt(n)) / sqrt(n)

is, with the stated confidence, below the share p of all numbers from the same distribution. z_p is
the p-quantile of the standard normal distribution, t' the quantile of the noncentral t distribution
with n - 1 degrees of freedom (NIST/SEMATECH e-Handbook of Statistical Methods, section 7.2.6.3;
G. J. Hahn and W. Q. Meeker, Statistical Intervals, 1991, section 4.6.3).

No library of this project has that quantile, and none is needed. With Z standard normal and W the
root of a chi-square with n - 1 degrees of freedom over these, independent of Z, the bound holds
where Z <= sqrt(n) * (k * W - z_p). So k solves

    E_W [ Phi( sqrt(n) * (k * W - z_p) ) ] = confidence,

whose left side grows with k: an integral over one variable and a bisection.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np

POINTS = 4000
"""Of the midpoint rule: k of 2 to 1,000 numbers then has five digits of the published tables."""
REACH = 10
"""W has the mean 1 and a deviation of about 1 / sqrt(2 (n - 1)): 14 of them to each side."""
_phi = np.frompyfunc(NormalDist().cdf, 1, 1)


@lru_cache(maxsize=256)
def tolerance_factor(n: int, share: float, confidence: float) -> float:
    """The k of the header for a sample of `n` numbers; `share` and `confidence` lie in (0, 1).

    Raises `ValueError` for fewer than two numbers, which have no deviation, and for a share or a
    confidence that is none.
    """
    if n < 2 or not 0 < share < 1 or not 0 < confidence < 1:
        raise ValueError(f"no tolerance bound of {n} numbers, {share} of all at {confidence}")
    free = n - 1
    low, high = max(0.0, 1 - REACH / math.sqrt(free)), 1 + REACH / math.sqrt(free)
    w = low + (np.arange(POINTS) + 0.5) * (high - low) / POINTS
    logs = (free - 1) * np.log(w) - free * w**2 / 2  # W's density, up to a factor
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    z = NormalDist().inv_cdf(share)

    def held(k: float) -> float:
        return float(weights @ np.asarray(_phi(math.sqrt(n) * (k * w - z)), np.float64))

    below, above = -1.0, 1.0
    while held(above) < confidence:
        below, above = above, 2 * above
    while held(below) > confidence:
        below, above = 2 * below, below
    while above - below > 1e-7 * max(1.0, abs(above)):
        middle = (below + above) / 2
        below, above = (middle, above) if held(middle) < confidence else (below, middle)
    return above
