"""Entry points and source addresses of a sample, as the register of the report has them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from audit.border_records import departures
from audit.commands.scan import scan
from audit.flows import Departure
from audit.report import Report

SAMPLE = Path(__file__).parents[2] / "sample_snapshots" / "four-zones-faulty"


@pytest.fixture(scope="module")
def report() -> Report:
    return scan(
        (str(SAMPLE / "manifests"),), str(SAMPLE / "zones.yaml"), created=dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    )


def test_a_router_shows_its_address_its_nodes_and_what_policies_let_it_reach(report: Report) -> None:
    (router,) = [one for one in report.entries if one.object.endswith("openshift-ingress-operator/dmz")]
    assert (router.kind, router.addresses, router.address_zones) == ("router", ("10.10.0.10",), ("dmz",))
    assert router.router_zones == ("dmz",)
    assert [(one.zone, one.verdict, one.workloads, one.ports) for one in router.backends] == [
        ("dmz", "allowed", 3, {"TCP": "8443"}),
        ("management", "denied", 1, {"TCP": "8443"}),
    ]


def test_every_zone_shows_with_which_addresses_it_leaves(report: Report) -> None:
    by_zone = {one.zone for one in report.departures}
    assert by_zone == {"database", "dmz", "internal", "management", "platform"}
    (own,) = [one for one in report.departures if one.via == "EgressIP zone-database"]
    assert (own.addresses, own.address_zone, own.workloads) == (("10.30.1.101", "10.30.1.102"), "database", 1)


def test_workloads_with_equal_lists_are_counted_and_addresses_sorted_by_number() -> None:
    def leaving(address: str) -> Departure:
        return Departure(address=address, via="node", node="n", verdict="allowed", zone="a", home="a")

    shared = (leaving("10.0.0.10"), leaving("10.0.0.9"), leaving("2001:db8::1"), leaving(""))
    (found,) = departures({"x": shared, "y": shared, "z": (leaving("10.0.0.9"),)})
    assert found.addresses == ("10.0.0.9", "10.0.0.10", "2001:db8::1")
    assert found.workloads == 3


def test_every_object_at_fault_says_where_it_was_read(report: Report) -> None:
    named = {subject for finding in report.findings for subject in finding.subjects}
    assert {one.object for one in report.objects} == named
    inputs = {one.file for one in report.inputs}
    assert all(one.file in inputs for one in report.objects)
    assert any(one.object.startswith("ZoneMatrix ") and one.file.endswith("zones.yaml") for one in report.objects)
