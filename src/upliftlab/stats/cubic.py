"""Hall's cubic: Student's t where a difference is slightly skewed.

A studentised difference T whose numerator has the skewness γ varies nearly so that

    g(T) = T + γ/3·T² + γ²/27·T³ + γ/6

is Student's (Hall 1992, *J. R. Stat. Soc. B* 54; of two groups Zhou & Dinh 2005, *Biostatistics*
6). g rises everywhere, so an interval is Student's with its critical values carried back, and p
follows. With the skewness of all units together it is what dividing them anew comes to, as long as
γ times the critical value stays below a half; beyond, the series no longer holds.
"""

from __future__ import annotations

from math import cbrt

from scipy.special import ndtri

SLIGHT = 0.5
"""Up to this |γ|·z, z being the critical value, the cubic agrees with dividing the units anew."""


def slight(alpha: float) -> float:
    """The largest |γ| at which the cubic serves, for an interval at the two-sided level α.

    >>> round(slight(0.05), 3), round(slight(0.0024), 3)
    (0.255, 0.165)
    """
    return SLIGHT / -float(ndtri(alpha / 2)) if alpha > 0 else 0.0


def straightened(t: float, gamma: float) -> float:
    """g(t): where a studentised difference of skewness γ lies on Student's scale."""
    return t + gamma * t**2 / 3 + gamma**2 * t**3 / 27 + gamma / 6


def bent(critical: float, gamma: float) -> float:
    """The t of which g(t) is a critical value of Student's.

    >>> round(straightened(bent(1.96, -0.2), -0.2), 9)
    1.96
    """
    if abs(gamma) < 1e-9:  # noqa: PLR2004 - the cubic is a line
        return critical - gamma / 6
    return 3 / gamma * (cbrt(1 + gamma * (critical - gamma / 6)) - 1)
