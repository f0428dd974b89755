"""A snapshot file -> the objects of a live cluster, under names that do not depend on where the file lies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from audit.errors import InputError, Position
from audit.ledger import Manifest
from audit.snapshot import InputFile
from audit.sources import archive, evidence, layers
from audit.sources.archive.layout import MANIFEST
from audit.sources.held import Held
from audit.sources.shared import Shared
from audit.sources.text import Text, utf8_error

_UID = 8
"""Characters of a cluster's UID that tell one from another."""


def collected(file: str, ordinal: int, shared: Shared, say: Callable[[str], None]) -> tuple[str, Manifest, Held]:
    """What reports call the cluster, its manifest and its objects; InputError for a file that is no sound snapshot.

    `ordinal` is that of the SOURCE.
    """
    held = Held()
    with archive.opened(file) as found:
        manifest = found.manifest
        name = cluster_name(manifest)
        digest = hashlib.sha256(found.text).hexdigest()
        held.files.append(InputFile(file=f"{name}:{MANIFEST}", sha256=digest, size=len(found.text), objects=0))
        for member, content in found.members():
            text = Text(f"{name}:{member.name}", content, ordinal, named=True)
            say(f"reading {text.file}")
            if error := utf8_error(text):
                raise error
            # All objects stand in one line, which tells nobody anything.
            objects = held.take(text, member.kind, shared, layers.add, lines=False)
            if objects != member.objects:
                reason = f"`{member.name}` holds {objects:,} objects, `{MANIFEST}` says {member.objects:,}"
                raise InputError(reason, Position(file))
    held.gaps += evidence.gaps(manifest)
    return name, manifest, held


def cluster_name(manifest: Manifest) -> str:
    """What reports call the cluster."""
    return f"cluster {manifest.cluster.uid[:_UID] or 'of unknown identity'}"
