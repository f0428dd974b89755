"""With pseudonyms, no name of a person is in what is kept, that of the account included."""

from __future__ import annotations

import msgspec

from audit.collection import Order
from audit.projection import Pseudonyms
from tests.collection.living import refused
from tests.collection.reading import Collected, cluster, collected, wanted

BINDING = "ClusterRoleBinding.rbac.authorization.k8s.io"
GROUP = "Group.user.openshift.io"


def read(names: Pseudonyms | None) -> Collected:
    living = cluster("Service", user="jane@example.com")
    subjects = [{"kind": "User", "name": "jane@example.com"}, {"kind": "Group", "name": "auditors"}]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    living.put(BINDING, "viewers", subjects=subjects, roleRef=role)
    said = refused(403, 'services is forbidden: User "jane@example.com" cannot list it')
    living.on_list = lambda one: said if one.key == "Service" else None
    return collected(living, Order(wanted=wanted("Service", BINDING), pseudonyms=names))


def everything(found: Collected) -> bytes:
    kept = (one for key in sorted(found.kept.lists) for one in found.kept.lists[key])
    return msgspec.json.encode(found.manifest) + b"".join(kept)


def test_names_are_kept_unless_asked_otherwise() -> None:
    found = read(None)
    assert everything(found).count(b"jane@example.com") == 3
    assert (found.manifest.pseudonyms, found.manifest.cluster.context) == (False, "lab")


def test_no_name_of_a_person_is_in_what_is_kept() -> None:
    found = read(Pseudonyms.fresh())
    assert b"jane" not in everything(found)
    assert b"auditors" not in everything(found)
    assert (found.manifest.pseudonyms, found.manifest.cluster.context) == (True, "")
    token = found.manifest.cluster.user
    assert token.startswith("anon-")
    assert token in found.ledger["Service"].reason
    assert found.kept.objects(BINDING)[0]["subjects"][0]["name"] == token


def test_one_key_gives_the_same_tokens_again() -> None:
    first, second = (everything(read(Pseudonyms(b"k" * 32))) for _ in range(2))
    assert first == second != everything(read(Pseudonyms(b"l" * 32)))


def test_a_group_that_does_not_decode_is_named_by_its_token() -> None:
    names = Pseudonyms(b"k" * 32)
    living = cluster()
    living.put(GROUP, "janes-team", users="jane")
    found = collected(living, Order(wanted=wanted(GROUP), pseudonyms=names))
    assert b"jane" not in everything(found)
    assert found.ledger[GROUP].invalid[0].startswith(f"{names.of('janes-team')}: ")
