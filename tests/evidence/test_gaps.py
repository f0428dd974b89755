"""Ledger to gaps: two states leave none, everything else says what is missing and which access to add."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from audit.api_resources import RESOURCES, Resource, reading_role, unmodelled
from audit.completeness import completeness
from audit.ledger import Manifest
from audit.snapshot import Gap
from audit.sources.evidence import gaps, missing_access
from tests.evidence.live import judged_by, live

ROUTE = "Route.route.openshift.io"


def manifest(kind: str = "", **changes: Any) -> Manifest:
    """That of a whole cluster, one entry changed."""
    whole = live("dmz-cluster").snapshot.manifest
    assert whole is not None
    if "objects" in changes:
        members = tuple(one for one in whole.members if one.kind != kind)
        whole = msgspec.structs.replace(whole, members=members)
    ledger = [msgspec.structs.replace(one, **changes) if one.kind == kind else one for one in whole.ledger]
    return msgspec.structs.replace(whole, ledger=tuple(ledger))


def one_gap(kind: str, **changes: Any) -> Gap:
    (found,) = gaps(manifest(kind, **changes))
    return found


def test_what_was_read_to_its_end_and_what_is_absent_with_proof_leave_no_gap() -> None:
    whole = manifest()
    assert {one.status for one in whole.ledger} == {"complete", "absent"}
    assert gaps(whole) == ()
    assert missing_access(whole) == ""


def test_empty_is_not_unreadable() -> None:
    assert gaps(manifest(ROUTE, objects=0)) == ()


def test_forbidden_says_which_access_to_add() -> None:
    found = one_gap(ROUTE, status="forbidden", reason="403 routes is forbidden")
    text = "not readable: grant `list` on `routes.route.openshift.io`: 403 routes is forbidden"
    assert found == Gap(kind=ROUTE, reason="forbidden", text=text)
    role = missing_access(manifest(ROUTE, status="forbidden"))
    # Under a name of its own: applied, it must not take the place of the role for all kinds.
    assert role == reading_role([Resource("route.openshift.io", "Route", "routes")], "zone-audit-reader-more")


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"status": "unavailable", "reason": "503"}, "unavailable", "the API that serves it did not answer: 503"),
        ({"status": "absent", "proof": ""}, "unavailable", "said to be absent, without proof"),
        ({"status": "partial", "reason": "page 3 broke"}, "partial", "not read to its end: page 3 broke"),
        ({"cut": "none", "skew": 7.4}, "partial", "read 7 s apart from the rest"),
        ({"status": "partial", "namespaces": ("b", "a")}, "partial", "read in namespace a, b only: grant `list` on"),
        ({"status": "complete", "namespaces": ("a",)}, "partial", "read in namespace a only: grant `list` on"),
    ],
)
def test_whatever_else_the_ledger_says_is_a_gap(changes: dict[str, Any], reason: str, words: str) -> None:
    found = one_gap(ROUTE, **changes)
    assert found.reason == reason
    assert found.text.startswith(words)


def test_a_bracketed_cut_is_as_good_as_an_exact_one() -> None:
    assert gaps(manifest(ROUTE, cut="bracketed", skew=3.0)) == ()


def test_namespaces_that_alone_were_read_are_access_to_add() -> None:
    assert "resources: [routes]" in missing_access(manifest(ROUTE, status="partial", namespaces=("a",)))


def test_objects_that_do_not_decode_are_gaps_of_their_namespaces() -> None:
    refused = tuple(f"ns-{number:02}/a: `spec` is no mapping" for number in range(25))
    found = gaps(manifest("NetworkPolicy", status="partial", invalid=refused))
    assert {one.reason for one in found} == {"invalid-object"}
    assert len(found) == 21
    assert found[1] == Gap(
        kind="NetworkPolicy", reason="invalid-object", scope="ns-00/a",
        text="ns-00/a was refused, as it does not decode: `spec` is no mapping",
    )  # fmt: skip
    assert found[0].text == "5 more objects were refused"


@pytest.mark.parametrize("kind", ["Namespace", "Node", "Pod"])
@pytest.mark.parametrize("changes", [{"objects": 0}, {"status": "absent", "proof": "404", "objects": 0}])
def test_no_cluster_is_without_namespaces_nodes_and_pods(kind: str, changes: dict[str, Any]) -> None:
    assert one_gap(kind, **changes).kind == kind


@pytest.mark.parametrize("status", ["complete", "partial"])
def test_a_file_that_holds_something_else_than_its_ledger_says_was_not_read_in_full(status: str) -> None:
    whole = manifest(ROUTE, status=status)
    members = tuple(one for one in whole.members if one.kind != ROUTE)
    said = "the ledger says 6 objects, the snapshot holds 0: collect it anew"
    found = gaps(msgspec.structs.replace(whole, members=members))
    assert Gap(kind=ROUTE, reason="partial", text=said) in found


def test_a_kind_that_the_ledger_does_not_mention_was_not_read() -> None:
    whole = manifest()
    found = gaps(msgspec.structs.replace(whole, ledger=()))
    assert len(found) == len(RESOURCES) == len(whole.ledger)
    assert {one.reason for one in found} == {"unavailable"}


def test_an_unverified_server_is_a_gap_in_everything() -> None:
    whole = manifest()
    unsure = msgspec.structs.replace(whole.cluster, unverified_tls=True)
    (found,) = gaps(msgspec.structs.replace(whole, cluster=unsure))
    assert (found.kind, found.reason) == ("*", "unavailable")


def test_groups_with_kinds_that_nobody_reads_are_gaps_even_where_others_of_theirs_are_read() -> None:
    groups = ("cilium.io", "nsx.example.org", "traefik.io")
    found = gaps(msgspec.structs.replace(manifest(), unmodelled_groups=groups))
    assert [one.kind for one in found] == ["*.cilium.io", "*.nsx.example.org", "*.traefik.io"]


def test_groups_of_policies_and_routers_are_told_by_what_the_server_serves() -> None:
    served = [
        ("", "Pod"), ("policy", "PodSecurityPolicy"), ("cilium.io", "CiliumNetworkPolicy"),
        ("projectcalico.org", "StagedNetworkPolicy"), ("nsx.example.org", "SecurityPolicy"),
        ("traefik.io", "IngressRoute"), ("example.org", "Widget"), ("antrea.example", "NetworkPolicy"),
        ("k8s.ovn.org", "NextNetworkPolicy"),
    ]  # fmt: skip
    assert unmodelled(served) == ("antrea.example", "k8s.ovn.org", "nsx.example.org", "traefik.io")


def test_a_group_that_shows_no_kind_may_hold_any_unless_it_is_known() -> None:
    served = [("nsx.vendor.example", ""), ("metrics.k8s.io", ""), ("route.openshift.io", ""), ("traefik.io", "")]
    assert unmodelled(served) == ("nsx.vendor.example", "traefik.io")


def test_a_snapshot_under_another_allow_list_is_a_gap_in_everything() -> None:
    (found,) = gaps(msgspec.structs.replace(manifest(), allow_list=0))
    assert (found.kind, found.reason) == ("*", "unavailable")


def records(whole: Manifest) -> dict[str, tuple[str, str]]:
    snapshot = judged_by(whole, live("dmz-cluster").snapshot.entries)
    return {one.kind: (one.status, one.note) for one in completeness(snapshot)}


def test_completeness_has_every_kind_of_the_ledger_with_its_state() -> None:
    found = records(manifest(ROUTE, status="forbidden", reason="403"))
    assert set(found) == {one.kind for one in manifest().ledger}
    assert found["Namespace"] == ("complete", "")
    assert found["VirtualMachine"][0] == "absent"
    assert found["VirtualMachine"][1].startswith("discovery, complete and fresh, has no group kubevirt.io")
    assert found[ROUTE] == ("forbidden", "not readable: grant `list` on `routes.route.openshift.io`: 403")
    assert found["VolumeSnapshotClass.snapshot.storage.k8s.io"] == ("complete", "no verdict uses this kind")
    assert "not-in-source" not in {status for status, _ in found.values()}


def test_completeness_names_what_concerns_more_than_a_kind() -> None:
    whole = manifest()
    unsure = msgspec.structs.replace(whole.cluster, unverified_tls=True)
    found = records(msgspec.structs.replace(whole, cluster=unsure, unmodelled_groups=("traefik.io",)))
    assert found["everything"][0] == found["all of traefik.io"][0] == "unavailable"
