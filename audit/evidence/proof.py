"""One object of a bundle, with what shows that it was in there: it gives away nothing of the others but hashes."""

from __future__ import annotations

import msgspec

from audit.errors import UsageError, did_you_mean
from audit.evidence import tree
from audit.evidence.bundle import Bundle
from audit.evidence.leaves import Leaf, leaf_name
from audit.sources.archive.layout import BrokenError

SCHEMA = "zone-audit.proof/1"


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof says."""

    schema: str = SCHEMA
    bundle: str
    """SHA-256 of the manifest that names the root; says where to look for it, and proves nothing."""
    root: str
    leaves: int
    index: int
    leaf: str
    """The canonical JSON that was hashed."""
    path: tuple[str, ...]
    """Hashes beside the way to the root, the nearest first."""


def prove(bundle: Bundle, name: str) -> Proof:
    """The proof of one object or member by name; UsageError for a name that is not there, or there twice."""
    wanted = " ".join(name.split(None, 1))
    found = [at for at, leaf in enumerate(bundle.leaves) if wanted in _names(leaf)]
    if len(found) != 1:
        reason = f"`{name}` is in `{bundle.file}` {len(found)} times" if found else f"`{bundle.file}` has no `{name}`"
        hint = "name its group as well" if found else did_you_mean(name, (leaf.name for leaf in bundle.leaves))
        raise UsageError(reason, hint=hint)
    leaf = bundle.leaves[found[0]]
    hashes = [tree.leaf_hash(one.content) for one in bundle.leaves]
    return Proof(
        bundle=bundle.sha256,
        root=bundle.manifest.merkle.root,
        leaves=len(hashes),
        index=found[0],
        leaf=leaf.content.decode(),
        path=tuple(one.hex() for one in tree.path(hashes, found[0])),
    )


def about(proof: Proof) -> str:
    """What the leaf is, by its own words: `Pod shop/web`, or the name of a member."""
    return leaf_name(proof.leaf.encode())


def _names(leaf: Leaf) -> tuple[str, str]:
    """With the group of the kind, and without."""
    kind, space, place = leaf.name.partition(" ")
    return leaf.name, f"{kind.partition('.')[0]} {place}" if space else leaf.name


def written(proof: Proof) -> bytes:
    """The one text of a proof."""
    return msgspec.json.format(msgspec.json.encode(proof), indent=1) + b"\n"


def parsed(text: bytes) -> Proof:
    """The proof that `written` gives this very text for; BrokenError for any other text."""
    try:
        proof = msgspec.json.decode(text, type=Proof)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BrokenError(f"this is no proof of zone-audit: {error}") from error
    if proof.schema != SCHEMA or written(proof) != text:
        raise BrokenError("this is no proof as zone-audit writes it")
    return proof


def root_of(proof: Proof) -> str:
    """The root that the leaf and its path lead to, in hex; empty where they lead nowhere."""
    try:
        siblings = [bytes.fromhex(one) for one in proof.path]
    except ValueError:
        return ""
    found = tree.root_of(tree.leaf_hash(proof.leaf.encode()), proof.index, proof.leaves, siblings)
    return found.hex() if found else ""
