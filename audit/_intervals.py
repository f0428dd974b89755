"""Sets of integers as canonical interval tuples: sorted, disjoint, not touching, ends inclusive.

Both algebras (ports in `Traffic`, addresses in `AddressSet`) are this one algebra on different number lines.
"""

from __future__ import annotations

from collections.abc import Iterable

Intervals = tuple[tuple[int, int], ...]


def normal(pairs: Iterable[tuple[int, int]]) -> Intervals:
    """The canonical form of any intervals; touching ones merge, empty ones (low > high) vanish."""
    out: list[tuple[int, int]] = []
    for low, high in sorted(pair for pair in pairs if pair[0] <= pair[1]):
        if out and low <= out[-1][1] + 1:
            if high > out[-1][1]:
                out[-1] = (out[-1][0], high)
        else:
            out.append((low, high))
    return tuple(out)


def union(a: Intervals, b: Intervals) -> Intervals:
    """Members of either."""
    if not a or not b or a == b:
        return a or b
    return normal((*a, *b))


def intersection(a: Intervals, b: Intervals) -> Intervals:
    """Members of both; linear in the number of intervals."""
    if a == b:
        return a
    out: list[tuple[int, int]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        low, high = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if low <= high:
            out.append((low, high))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return tuple(out)


def difference(a: Intervals, b: Intervals) -> Intervals:
    """Members of `a` that are not in `b`."""
    out: list[tuple[int, int]] = []
    j = 0
    for low, high in a:
        start = low
        while j < len(b) and b[j][1] < start:
            j += 1
        k = j
        while k < len(b) and b[k][0] <= high:
            if b[k][0] > start:
                out.append((start, b[k][0] - 1))
            start = max(start, b[k][1] + 1)
            k += 1
        if start <= high:
            out.append((start, high))
    return tuple(out)
