"""Proofs of one object, and the tree that they climb."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import rfc8785

from audit.evidence import leaves, tree
from audit.evidence.bundle import opened
from audit.evidence.proof import parsed, prove, root_of, written
from audit.sources.archive.layout import BrokenError
from tests.bundles.conftest import Zone

Make = Callable[..., Path]


def naive(content: list[bytes]) -> bytes:
    """The tree hash as RFC 6962 writes it."""
    if not content:
        return hashlib.sha256().digest()
    if len(content) == 1:
        return hashlib.sha256(b"\x00" + content[0]).digest()
    half = 1
    while half * 2 < len(content):
        half *= 2
    return hashlib.sha256(b"\x01" + naive(content[:half]) + naive(content[half:])).digest()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17, 31, 33])
def test_the_tree_is_that_of_the_rfc_and_every_leaf_is_proven(size: int) -> None:
    content = [b"%d" % number for number in range(size)]
    hashes = [tree.leaf_hash(one) for one in content]
    root = tree.root(hashes)
    assert root == naive(content)
    for at, leaf in enumerate(hashes):
        path = tree.path(hashes, at)
        assert tree.root_of(leaf, at, size, path) == root
        assert tree.root_of(leaf, at, size, (*path, leaf)) is None
        if path:
            assert tree.root_of(leaf, at, size, path[:-1]) is None
        assert tree.root_of(tree.leaf_hash(b"x"), at, size, path) != root
        assert size == 1 or tree.root_of(leaf, (at + 1) % size, size, path) != root
    assert tree.root_of(root, size, size, ()) is None


def test_a_node_is_no_leaf() -> None:
    hashes = [tree.leaf_hash(b"a"), tree.leaf_hash(b"b")]
    assert tree.root([tree.leaf_hash(b"".join(hashes))]) != tree.root(hashes)


def test_one_object_is_proven_without_the_others(make: Make, zone: Zone, place: Path) -> None:
    file = make()
    root = opened(file).manifest.merkle.root
    done = zone("evidence", "prove", file, "NetworkPolicy app/zone-internal", "-o", place / "proof.json")
    assert done.code == 0, done.err
    proof = json.loads((place / "proof.json").read_text())
    assert json.loads(proof["leaf"])["object"]["metadata"]["name"] == "zone-internal"
    assert "zone-dmz" not in (place / "proof.json").read_text()
    assert zone("verify", place / "proof.json", "--root", root).code == 0
    assert zone("verify", place / "proof.json").code == 3
    assert zone("verify", place / "proof.json", "--root", "0" * 64).code == 1


def test_every_leaf_of_a_bundle_is_proven_by_name(make: Make) -> None:
    held = opened(make())
    assert held.manifest.merkle.leaves == len(held.leaves) > len(held.manifest.members)
    for leaf in held.leaves:
        proof = prove(held, leaf.name)
        assert root_of(proof) == proof.root == held.manifest.merkle.root


def test_a_proof_in_which_anything_changed_does_not_lead_to_the_root(make: Make) -> None:
    held = opened(make())
    text = written(prove(held, "Namespace web"))
    shown = 0
    for at in range(0, len(text), 3):
        changed = text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]
        try:
            proof = parsed(changed)
        except BrokenError:
            continue
        if (proof.leaf, proof.path) != (parsed(text).leaf, parsed(text).path):
            assert root_of(proof) != held.manifest.merkle.root, at
            shown += 1
    assert shown > 50


def test_a_name_that_is_not_there_gets_a_suggestion(make: Make, zone: Zone) -> None:
    done = zone("evidence", "prove", make(), "Namespace wbe")
    assert (done.code, done.out) == (2, "")
    assert "did you mean `Namespace web`?" in done.err


def test_an_object_without_canonical_form_is_hashed_as_it_stands() -> None:
    for text in (b'{"metadata":{"name":"n"},"x":9007199254740993}', b'{"metadata":{"name":"n"},"x":"\\ud800"}'):
        leaf = leaves._leaf("Thing", text)
        assert leaf.content == rfc8785.dumps({"kind": "Thing", "sha256": hashlib.sha256(text).hexdigest()})
