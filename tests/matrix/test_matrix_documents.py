"""The published schema and the documentation are true, and `check` and `show` say what they see."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from matrix_strategies import matrices

from audit import exceptions, matrix
from audit.errors import AuditErrors
from audit.matrix_dump import tree
from audit.matrix_yaml import document
from audit.model import ZoneMatrix

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "docs" / "zones.schema.json"
TODAY = date(2026, 11, 23)


def blocks(language: str) -> list[str]:
    text = (ROOT / "docs" / "matrix.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def written(folder: Path, text: str, name: str = "zones.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


MATRICES = [block for block in blocks("yaml") if "kind: ZoneMatrix" in block]
TABLES = blocks("csv")


def test_the_documentation_shows_what_is_tested_here() -> None:
    assert (len(MATRICES), len(TABLES), len(blocks("yaml"))) == (2, 2, 3)


@pytest.mark.parametrize("text", MATRICES, ids=["small", "every-field"])
def test_documented_matrices_load_and_fit_the_schema(text: str, tmp_path: Path) -> None:
    matrix.load(written(tmp_path, text))
    jsonschema.validate(
        document(text.encode(), "zones.yaml").root.plain(), json.loads(SCHEMA.read_text(encoding="utf-8"))
    )


@pytest.mark.parametrize("text", TABLES, ids=["long-form", "firewall-manager"])
def test_documented_tables_load(text: str, tmp_path: Path) -> None:
    assert matrix.load(written(tmp_path, text, "rows.csv")).flows


def test_the_documented_exception_loads_and_would_hold(tmp_path: Path) -> None:
    (text,) = [block for block in blocks("yaml") if "kind: Exceptions" in block]
    (entry,) = exceptions.load(written(tmp_path, text))
    one = matrix.load(written(tmp_path, MATRICES[1], "m.yaml"))
    register = exceptions.match([entry], [], date(2026, 8, 1), matrix=one, rules={"NET001"})
    assert register.rulings[0].status == "unused"


def test_the_published_schema_is_the_one_the_forms_give() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == matrix.schema()


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(matrix.schema()))


@settings(deadline=None, max_examples=40)
@given(matrices())
def test_what_is_dumped_fits_the_schema(one: ZoneMatrix) -> None:
    jsonschema.validate(json.loads(json.dumps(tree(one))), json.loads(SCHEMA.read_text(encoding="utf-8")))


GOOD = document(MATRICES[0].encode(), "").root.plain()


@pytest.mark.parametrize(
    "change",
    [
        {"zones": []},
        {"flow": []},
        {"kind": "Matrix"},
        {"defaults": {"inter_zone": "deny"}},
        {"zones": [{"name": "(unzoned)"}]},
        {"zones": [{"name": "a", "trust": 101}]},
        {"zones": [{"name": "a", "owner": None}]},
        {"flows": [{"id": "F", "from": "a", "to": "b", "access": "allow-only"}]},
        {"flows": [{"id": "F", "from": "a", "to": "b", "access": "allow-all", "services": ["tcp/1"]}]},
        {"metadata": {"name": "a", "review_by": "soon"}},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(change: dict[str, object], tmp_path: Path) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.validate(GOOD, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(GOOD | change, schema)
    with pytest.raises(AuditErrors):
        matrix.load(written(tmp_path, json.dumps(GOOD | change), "zones.json"))


def test_the_example_of_the_design_loads_and_fits_the_schema(tmp_path: Path) -> None:
    design = ROOT.parent / "shared" / "design" / "product.md"
    if not design.is_file():
        pytest.skip("the design documents are not beside this repository")
    (text,) = re.findall(r"```yaml\n(apiVersion.*?)```", design.read_text(encoding="utf-8"), flags=re.DOTALL)
    # The excerpt names a zone in its row that it does not list.
    text = text.replace("flows:\n", "- name: internal\nflows:\n")
    jsonschema.validate(document(text.encode(), "").root.plain(), json.loads(SCHEMA.read_text(encoding="utf-8")))
    one = matrix.load(written(tmp_path, text))
    assert one.flows[0].allowed.ports() == {"TCP": "5432,8443"}


ODD = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata: {name: odd, review_by: 2026-11-22}
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
service_groups: {web: [tcp/80]}
zones:
- {name: a, trust: 90}
- {name: b, trust: 10}
- {name: c, trust: 50}
flows:
- {id: F1, from: a, to: b, access: allow-only, services: [icmp/8], review_by: 2026-11-22}
- {id: F2, from: b, to: b, access: block-all, review_by: 2026-11-23}
"""


def test_check_says_everything_odd_about_a_matrix_that_is_right(tmp_path: Path) -> None:
    path = written(tmp_path, ODD)
    assert [str(remark).removeprefix(str(path)) for remark in matrix.check(path, TODAY)] == [
        ": the review of the matrix was due on 2026-11-22",
        ":11: the review of row `F1` was due on 2026-11-22",
        ": no row uses the service group `web`",
        ":9: no row names the zone `c`: only defaults hold for it",
        ":11: row `F1` lists only services that are not judged: `icmp/8`",
        ": pairs with a row in one direction only, the default decides the other: a to b",
        ": 5 of 6 pairs of zones rely on defaults.inter_zone (deny)",
    ]


def test_check_passes_on_what_reading_a_table_made_up(tmp_path: Path) -> None:
    remarks = matrix.check(written(tmp_path, "from,to,access\na,b,allow-all\nb,a,block-all\n", "rows.csv"), TODAY)
    assert len(remarks) == 1
    assert "zones were made from their names" in remarks[0].text


def test_show_is_the_cross_table_by_trust(tmp_path: Path) -> None:
    assert matrix.show(matrix.load(written(tmp_path, ODD))) == (
        ("from / to", "b", "c", "a"),
        ("b", "block-all", "deny (default)", "deny (default)"),
        ("c", "deny (default)", "allow (default)", "deny (default)"),
        ("a", "allow-only icmp/8", "deny (default)", "allow (default)"),
    )
