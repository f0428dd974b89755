"""Merkle trees, and paths that show that one leaf is in one. Source: RFC 6962, sections 2.1 and 2.1.1.

Leaves and nodes are hashed with different prefixes, so that no node can pass for a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(content: bytes) -> bytes:
    """SHA-256 of a leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over hashes of leaves; that of nothing is the digest of no bytes."""
    if not leaves:
        return hashlib.sha256().digest()
    return _levels(leaves)[-1][0]


def path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The siblings on the way from a leaf to the root, the nearest first."""
    found = []
    for level in _levels(leaves)[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            found.append(level[sibling])
        index //= 2
    return tuple(found)


def root_of(leaf: bytes, index: int, size: int, siblings: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to from the hash of leaf `index` of `size`; None for a path of another length."""
    left = list(siblings)
    if not 0 <= index < size:
        return None
    node, last = leaf, size - 1
    while last:
        if index % 2 or index < last:
            if not left:
                return None
            sibling = left.pop(0)
            node = _node(sibling, node) if index % 2 else _node(node, sibling)
        index, last = index // 2, last // 2
    return None if left else node


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All levels from the leaves up; a node without a sibling moves up as it is, which is the tree of the RFC."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = [_node(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        levels.append(pairs + below[len(pairs) * 2 :])
    return levels


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
