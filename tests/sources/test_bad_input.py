"""Whatever is wrong with an input, the error names file, line and reason, and all that is wrong is said at once."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audit.errors import AuditError, AuditErrors, InputError, UsageError
from audit.sources import inputs, json_text, read
from audit.sources.text import Text

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
HEAD = "apiVersion: v1\nkind: Pod\n"
POLICY = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\n"

MACHINE = "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: a}\n"
CRON_JOB = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec:\n"

BAD_YAML: dict[str, tuple[str | bytes, str]] = {
    "flow never closed": (POD + "spec: [1, 2\n", "a.yaml:5:1: broken YAML: did not find expected ',' or ']'"),
    "tab as indentation": (
        POD + "spec:\n\ta: 1\n",
        "a.yaml:5:1: broken YAML: found character that cannot start any token",
    ),
    "colon in a value": (HEAD + "metadata: name: a\n", "a.yaml:3:15: broken YAML: mapping values are not allowed"),
    "directive": ("%YAML 1.1\n---\n" + POD, "a.yaml:2:1: broken YAML: did not find expected <document start>"),
    "helm template": ("kind: Pod\n{{ if .x }}\na: b: c\n", "(hint: render the template first (`helm template`))"),
    "control character": (POD + 'spec: "\x1b"\n', "a.yaml:4: broken YAML: control characters are not allowed"),
    "NUL": (POD + "spec: \x00\n", "a.yaml:4: broken YAML: control characters are not allowed"),
    "text after the end": (POD + "...\nfoo: 1\n", "a.yaml:5:1: broken YAML: did not find expected <document start>"),
    "separator after a carriage return": ("kind: A\r---\rkind: B\r", "text after the end of a document"),
    "duplicate key": (HEAD + "metadata:\n  name: a\n  labels: {app: x, app: y}\n", "a.yaml:5:20: duplicate key `app`"),
    "duplicate after conversion": (POD + "spec: {on: 1, 'true': 2}\n", "a.yaml:4:15: duplicate key `true`"),
    "two merge keys": (POD + "x: &a {b: 1}\nspec: {<<: *a, <<: *a}\n", "a.yaml:5:16: duplicate key `<<`"),
    "merge after the key it sets": (POD + "x: &a {b: 1}\nspec: {b: 2, <<: *a}\n", "the merge key `<<` comes after `b`"),
    "merge of a scalar": (
        POD + "spec: {<<: 5}\n",
        "a.yaml:4:12: a merge key `<<` takes a mapping or a list of mappings",
    ),
    "unknown alias": (POD + "spec: *a\n", "a.yaml:4:7: the alias `*a` has no anchor"),
    "alias of itself": (POD + "spec: &a [*a]\n", "a.yaml:4:11: the anchor `&a` contains itself"),
    "key is a list": (POD + "spec: {[a]: 1}\n", "a.yaml:4:10: a key is not a string"),
    "key is null": (POD + "spec: {~: 1}\n", "a.yaml:4:8: a key is not a string"),
    "infinity": (POD + "spec: {a: .inf}\n", "a.yaml:4:11: `.inf` is not a number that Kubernetes can hold"),
    "python tag": (
        POD + "spec: !!python/object:os.x {}\n",
        "a.yaml:4:7: the tag `!!python/object:os.x` has no meaning",
    ),
    "scalar document": (POD + "---\nhello\n", "a.yaml:5:1: a Kubernetes object is a mapping, this document is not"),
    "list document": (POD + "---\n- a\n", "a.yaml:5:1: a Kubernetes object is a mapping, this document is not"),
    "list file": ("[1]\n", "a.yaml:1:1: a Kubernetes object is a mapping, this is a list (hint: use `kind: List`"),
    "empty": ("", "a.yaml: the input is empty"),
    "comments only": ("# nothing\n---\n", "no Kubernetes object in `a.yaml`"),
    "no kind": ("apiVersion: v1\nmetadata: {name: a}\n", "a.yaml:1:1: the object has `apiVersion` but no `kind`"),
    "no apiVersion": ("# x\nkind: Pod\n", "a.yaml:2:1: the object has `kind` but no `apiVersion`"),
    "compose file": (
        "services: {web: {image: x}}\n",
        "a.yaml:1:1: not a Kubernetes object: neither `apiVersion` nor `kind`",
    ),
    "kustomization": ("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "is for tools"),
    "kind is a number": ("apiVersion: v1\nkind: 5\n", "a.yaml:2:7: `kind` must be a string (hint: quote it)"),
    "kind is no word": ("apiVersion: v1\nkind: <b>\n", "`kind: <b>` is not the name of a kind"),
    "apiVersion is no word": ("apiVersion: a/b/c\nkind: Pod\n", "a.yaml:1:13: `apiVersion: a/b/c` is not"),
    "kind of another group": (
        "apiVersion: v1\nkind: NetworkPolicy\nmetadata: {name: a}\n",
        "a.yaml:1:13: Kubernetes has no kind `NetworkPolicy` in `v1` (hint: it is a kind of `networking.k8s.io`",
    ),
    "kind in lower case": (
        "apiVersion: networking.k8s.io/v1\nkind: networkpolicy\nmetadata: {name: a}\n",
        "a.yaml:2:7: Kubernetes has no kind `networkpolicy` in `networking.k8s.io/v1` (hint: did you mean `Net",
    ),
    "kind in the plural": (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicies\nmetadata: {name: a}\n",
        "did you mean `NetworkPolicy`?",
    ),
    "kind misspelt": ("apiVersion: v1\nkind: NameSpaces\nmetadata: {name: a}\n", "did you mean `Namespace`?"),
    "kind with a letter missing": (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolcy\nmetadata: {name: a}\n",
        "did you mean `NetworkPolicy`?",
    ),
    "custom kind in lower case": (
        "apiVersion: cilium.io/v2\nkind: ciliumNetworkPolicies\nmetadata: {name: a}\n",
        "did you mean `CiliumNetworkPolicy`?",
    ),
    "version of the future": (
        "apiVersion: networking.k8s.io/v2\nkind: NetworkPolicy\nmetadata: {name: a}\n",
        "a.yaml:1:13: Kubernetes has no kind `NetworkPolicy` in `networking.k8s.io/v2` (hint: did you mean `networkin",
    ),
    "version of another kind": (
        "apiVersion: networking.k8s.io/v1beta1\nkind: NetworkPolicy\nmetadata: {name: a}\n",
        "did you mean `networking.k8s.io/v1`?",
    ),
    "core version": ("apiVersion: v2\nkind: Pod\nmetadata: {name: a}\n", "did you mean `v1`?"),
    "service selector value": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {app: a b}}\n",
        "a.yaml:4:24: Service `default/a`: `a b` is not a valid value for the label `app`",
    ),
    "machine port": (
        MACHINE + "spec: {template: {spec: {domain: {devices: {interfaces: [{ports: [{port: 0}]}]}}}}}\n",
        "VirtualMachine `default/a`: machine port `0` is not within",
    ),
    "name missing": (
        HEAD + "metadata: {namespace: x}\n",
        "a.yaml:3:11: Pod without a name: `metadata.name` is missing",
    ),
    "metadata missing": (HEAD, "a.yaml:1:1: Pod without a name: `metadata.name` is missing"),
    "name in capitals": (HEAD + "metadata: {name: Web}\n", "a.yaml:3:18: Pod `default/Web`: `Web` is not a valid name"),
    "name as path": (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a/b}\n",
        "a.yaml:3:18: ClusterRole `a/b`: `a/b` is not a valid name",
    ),
    "namespace with a space": (
        HEAD + "metadata: {name: a, namespace: b c}\n",
        "a.yaml:3:32: Pod `b c/a`: `b c` is not",
    ),
    "namespace is a number": (
        HEAD + "metadata: {name: a, namespace: 5}\n",
        "`metadata.namespace` must be a string, not a whole",
    ),
    "label is a number": (
        HEAD + "metadata:\n  name: a\n  labels:\n    app: x\n    version: 1.20\n",
        "a.yaml:7:14: Pod `default/a`: `metadata.labels.version` must be a string, not a number",
    ),
    "label is a bool": (
        HEAD + "metadata: {name: a, labels: {pci: yes}}\n",
        "must be a string, not true or false (hint: quote",
    ),
    "label is null": (
        HEAD + "metadata: {name: a, labels: {pci: }}\n",
        "a.yaml:3:35: Pod `default/a`: `metadata.labels.pci` must",
    ),
    "label too long": (
        HEAD + f"metadata: {{name: a, labels: {{a: {'x' * 64}}}}}\n",
        "is not a valid value for the label `a`",
    ),
    "label key with a space": (HEAD + "metadata: {name: a, labels: {a b: c}}\n", "`a b` is not a valid label key"),
    "labels are a list": (
        HEAD + "metadata: {name: a, labels: [a]}\n",
        "`metadata.labels` must be a mapping, not a list",
    ),
    "metadata is a list": (HEAD + "metadata: [a]\n", "a.yaml:3:11: Pod without a name: `metadata` must be a mapping"),
    "containers are a mapping": (
        POD + "spec: {containers: {}}\n",
        "a.yaml:4:20: Pod `default/a`: `spec.containers` must be a list",
    ),
    "port is a string": (
        POD + 'spec:\n  containers:\n  - name: c\n    ports:\n    - containerPort: "80"\n',
        "a.yaml:8:22: Pod `default/a`: `spec.containers[0].ports[0].containerPort` must be a whole number, not",
    ),
    "port is a fraction": (POD + "spec: {containers: [{ports: [{containerPort: 80.5}]}]}\n", "a.yaml:4:46: "),
    "port too large": (
        POD + "spec: {containers: [{ports: [{containerPort: 65536}]}]}\n",
        "a.yaml:4:46: Pod `default/a`: container port `65536` is not within 1-65535",
    ),
    "port is huge": (
        POD + f"spec: {{containers: [{{ports: [{{containerPort: {'9' * 60}}}]}}]}}\n",
        "must be a whole number",
    ),
    "port is zero": (POD + "spec: {containers: [{ports: [{containerPort: 0}]}]}\n", "container port `0` is not within"),
    "port missing": (POD + "spec: {containers: [{ports: [{name: http}]}]}\n", "container port `0` is not within"),
    "host port too large": (
        POD + "spec: {containers: [{ports: [{containerPort: 1, hostPort: 70000}]}]}\n",
        "host port `70000`",
    ),
    "protocol in lower case": (
        POD + "spec: {initContainers: [{ports: [{containerPort: 1, protocol: tcp}]}]}\n",
        "a.yaml:4:63: Pod `default/a`: unknown protocol `tcp`",
    ),
    "address out of range": (
        POD + "status: {podIP: 10.0.0.256}\n",
        "a.yaml:4:17: Pod `default/a`: `10.0.0.256` is not an IP",
    ),
    "second address is none": (
        POD + "status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::g'}]}\n",
        "`fd00::g`",
    ),
    "host address is none": (POD + "status: {hostIP: node-1}\n", "a.yaml:4:18: Pod `default/a`: `node-1` is not an IP"),
    "node address is none": (
        "apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {addresses: [{type: InternalIP, address: x}]}\n",
        "a.yaml:4:50: Node `a`: `x` is not an IP address",
    ),
    "replicas negative": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: -1}\n",
        "a.yaml:4:18: Deployment `default/a`: `replicas: -1` is negative",
    ),
    "template label is a number": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {metadata: {labels: {v: 1}}}}\n",
        "a.yaml:4:42: Deployment `default/a`: `spec.template.metadata.labels.v` must be a string, not a whole number",
    ),
    "job template port": (
        CRON_JOB + "  jobTemplate: {spec: {template: {spec:\n    {containers: [{ports: [{containerPort: -1}]}]}}}}\n",
        "a.yaml:6:44: CronJob `default/a`: container port `-1`",
    ),
    "service port": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80, targetPort: 65536}]}\n",
        "a.yaml:4:39: Service `default/a`: target port `65536`",
    ),
    "service selector": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {app: on}}\n",
        "a.yaml:4:24: Service `default/a`: `spec.selector.app` must be a string, not true or false",
    ),
    "item of a list": (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n- 5\n",
        "a.yaml:7:3: a Kubernetes object is a mapping, this value is not",
    ),
    "bad field in an item": (
        "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n- metadata: {name: B}\n",
        "a.yaml:5:20: Pod `default/B`: `B` is not a valid name",
    ),
    "UTF-16": (POD.encode("utf-16"), "a.yaml:1:1: the text is UTF-16, not UTF-8 (hint: save it as UTF-8)"),
    "Latin-1": (POD.encode() + b"spec: caf\xe9\n", "a.yaml:4:10: the text is not UTF-8"),
    "conflicting duplicates": (
        f"{POLICY}spec: {{podSelector: {{}}}}\n---\n{POLICY}spec: {{podSelector: {{matchLabels: {{a: b}}}}}}\n",
        "a.yaml:6: conflicting duplicates: NetworkPolicy `default/a` is also at `a.yaml:1`, with other content",
    ),
}

OBJECT = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"%s}%s}'
MINIMAL = OBJECT % ("", "")
BAD_JSON: dict[str, tuple[str | bytes, str]] = {
    "cut short": ('{"apiVersion":"v1",\n"kind":', "a.json:2:8: broken JSON: the text ends too early"),
    "trailing comma": ('{"apiVersion":"v1",\n}', "a.json:2:1: broken JSON: "),
    "NaN": (OBJECT % ("", ',"spec":NaN'), "a.json:1:64: broken JSON: invalid character"),
    "unquoted key": ("{apiVersion: v1}", "a.json:1:2: broken JSON: "),
    "YAML behind JSON": (OBJECT % ("", "") + "\n---\n" + POD, "a.json:2:2: broken JSON"),
    "second value is a list": (
        OBJECT % ("", "") + "\n[1]",
        "a.json:2:1: a Kubernetes object is a mapping, this value is not",
    ),
    "duplicate key": (OBJECT % (',"name":"b"', ""), "a.json:1:56: duplicate key `name`"),
    "duplicate key, escaped": (OBJECT % (',"n\\u0061me":"b"', ""), "duplicate key `name`"),
    "duplicate key, indented": (
        '{\n "apiVersion": "v1",\n "kind": "Pod",\n "kind": "Pod"\n}',
        "a.json:4:2: duplicate key `kind`",
    ),
    "duplicate key where nobody looks": (OBJECT % ("", ',"spec":{"x":[{"a":1,"a":1}]}'), "duplicate key `a`"),
    "duplicate key beside numbers": (OBJECT % ("", ',"spec":{"x":1.0,"y":1e5,"y":1e5}'), "duplicate key `y`"),
    "two lists of items": (
        '{"apiVersion":"v1","kind":"List","items":[OBJECT],"items":[OBJECT,OBJECT]}'.replace("OBJECT", MINIMAL),
        "duplicate key `items`",
    ),
    "two kinds of list": ('{"apiVersion":"v1","kind":"X","kind":"List","items":[]}', "duplicate key `kind`"),
    "number too large": (OBJECT % ("", ',"spec":1e999'), "broken JSON: Number out of range"),
    "integer of 5000 digits": (OBJECT % ("", f',"spec":{"1" * 5000}'), "broken JSON: Integer value out of range"),
    "half a surrogate pair": (OBJECT % ("", ',"spec":"\\ud83d"'), "half a surrogate pair"),
    "not UTF-8": ((OBJECT % ("", "")).replace("a", "\xe9").encode("latin-1"), "a.json:1:3: the text is not UTF-8"),
    "label is a number": (
        OBJECT % (',"labels":{"v":1}', ""),
        "a.json:1:70: Pod `default/a`: `metadata.labels.v` must be",
    ),
    "label in an item": (
        '{"apiVersion":"v1","kind":"List","items":[\n' + MINIMAL + ",\n" + OBJECT % (',"labels":{"v":1}', "") + "]}",
        "a.json:3:70: Pod `default/a`: `metadata.labels.v` must be a string",
    ),
    "bad item after a list of unlike keys": (
        '{"metadata":{"x":{"a":1}},\n"kind":"PodList","apiVersion":"v1","items":[\n{"a":1},\n{"metadata":{"name":"B"}}]}',
        "a.json:4:21: Pod `default/B`: `B` is not a valid name",
    ),
    "item is a number": (
        '{"apiVersion":"v1","kind":"PodList","items":[5]}',
        "a.json:1:46: a Kubernetes object is a mapping",
    ),
    "item without a kind": ('{"apiVersion":"v1","kind":"List","items":[{}]}', "neither `apiVersion` nor `kind`"),
    "kind is a mapping": ('{"apiVersion":"v1","kind":{}}', "`kind` must be a string"),
    "list file": ("[]", "a.json:1:1: a Kubernetes object is a mapping, this is a list"),
    "empty list": ('{"apiVersion":"v1","kind":"List","items":[]}', "the sources hold no Kubernetes object"),
    "empty YAML list": ("apiVersion: v1\nkind: List\nitems: []\n", "the sources hold no Kubernetes object"),
    "deep nesting": ('{"a":' * 100_000, "a.json:1:1: too many levels of nesting"),
    "deep and closed": (OBJECT % ("", ',"spec":' + '{"a":' * 5000 + "1" + "}" * 5000), "too many levels of nesting"),
}


def message(file: str, content: str | bytes) -> str:
    Path(file).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(AuditError) as caught:
        read([file])
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", BAD_YAML)
def test_bad_yaml_is_refused_with_its_place_and_reason(case: str) -> None:
    content, expected = BAD_YAML[case]
    assert expected in message("a.yaml", content)


@pytest.mark.parametrize("case", BAD_JSON)
def test_bad_json_is_refused_with_its_place_and_reason(case: str) -> None:
    content, expected = BAD_JSON[case]
    assert expected in message("a.json", content)


def test_all_that_is_wrong_is_said_at_once_in_file_order() -> None:
    documents = ("a: [", POD, HEAD + "metadata: {name: B, name: c}\n", HEAD, POD + "status: {podIP: x, hostIP: z}\n")
    Path("a.yaml").write_text("---\n".join(text if text.endswith("\n") else text + "\n" for text in documents))
    Path("b.json").write_text("{")
    with pytest.raises(AuditErrors) as caught:
        read(["a.yaml", "b.json"])
    assert [str(error.position) for error in caught.value.errors] == [
        "a.yaml:2:1", "a.yaml:9:21", "a.yaml:11:1", "a.yaml:17:17", "a.yaml:17:28", "b.json:1:2",
    ]  # fmt: skip


def test_reading_stops_at_a_hundred_errors() -> None:
    Path("a.yaml").write_text("---\n".join(f"{HEAD}metadata: {{name: A{n}}}\n" for n in range(150)))
    with pytest.raises(AuditErrors) as caught:
        read(["a.yaml"])
    assert len(caught.value.errors) == 101
    assert str(caught.value.errors[-1]) == "too many errors, reading stopped here"


def test_a_missing_file_is_named() -> None:
    with pytest.raises(InputError, match=r"^no/such\.yaml: no such file or directory"):
        read(["no/such.yaml"])


def test_a_file_without_permission_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    Path("a.yaml").write_text(POD)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"^a\.yaml: no permission to read this"):
        read(["a.yaml"])


def test_a_pipe_in_a_directory_is_refused_instead_of_waited_for() -> None:
    os.mkfifo("a.yaml")
    descriptor = os.open("a.yaml", os.O_RDWR)
    try:
        with pytest.raises(InputError, match=r"^a\.yaml: not a regular file"):
            read(["."])
    finally:
        os.close(descriptor)


def test_a_pipe_that_is_named_is_read() -> None:
    descriptor, writer = os.pipe()
    os.write(writer, POD.encode())
    os.close(writer)
    try:
        assert [entry.name for entry in read([f"/dev/fd/{descriptor}"]).of("Pod")] == ["a"]
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("before", [(1 << 20) - 2, (1 << 20) - 1, 1 << 20])
def test_text_that_is_not_utf8_is_found_across_the_pieces_it_is_read_in(before: int) -> None:
    head = POD + "# "
    content = head.encode() + b"x" * (before - len(head)) + b"\xc3\xa9\xc3("
    assert f"a.yaml:4:{before - len(POD) + 2}: the text is not UTF-8" in message("a.yaml", content)


def test_a_yaml_file_above_the_limit_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_YAML", 100)
    assert "MB of YAML, the limit is 0 MB" in message("a.yaml", POD + "# " + "x" * 100)


def test_an_input_above_the_limit_of_all_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_JSON", 100)
    with pytest.raises(InputError, match="larger than"):
        read(["-"], stdin=io.BytesIO(b" " * 101))


def test_no_source_and_standard_input_twice_are_usage_errors() -> None:
    for sources in ([], ["-", "-"]):
        with pytest.raises(UsageError):
            read(sources)


def test_an_empty_directory_is_an_error() -> None:
    with pytest.raises(InputError, match=r"no Kubernetes object in `\.`"):
        read(["."])


def alias_bomb(levels: int, *, merge: bool) -> str:
    lines = ["a0: &a0 {k0: v}" if merge else "a0: &a0 [x]"]
    for level in range(1, levels):
        aliases = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(
            f"a{level}: &a{level} {{<<: [{aliases}], k{level}: v}}" if merge else f"a{level}: &a{level} [{aliases}]"
        )
    return POD + "\n".join(lines) + "\n"


@pytest.mark.parametrize("merge", [False, True])
def test_an_alias_bomb_is_refused_within_two_seconds(merge: bool) -> None:  # noqa: FBT001
    start = time.perf_counter()
    assert "aliases expand to more than 1,000,000 nodes" in message("a.yaml", alias_bomb(30, merge=merge))
    assert time.perf_counter() - start < 2


def test_aliases_of_a_long_text_count_as_much_as_the_text() -> None:
    aliases = ", ".join(["*a"] * 1000)
    assert "aliases expand" in message("a.yaml", f"{POD}x: &a {'y' * 100_000}\nz: [{aliases}]\n")


DEEP = (
    "[" * 100_000,
    "a: " + "[" * 100_000,
    "a: " + "{a: " * 100_000,
    "- " * 100_000,
    "? " * 100_000,
    '{"a":' * 100_000,
)


@pytest.mark.parametrize("content", DEEP, ids=["list", "flow list", "flow map", "dashes", "question marks", "json"])
def test_nesting_never_kills_the_process(content: str) -> None:
    Path("deep.yaml").write_text(content)
    program = (
        "import sys; from audit.sources import read; from audit.errors import AuditError\n"
        "try: read(['deep.yaml'])\n"
        "except AuditError as error: print(error); sys.exit(error.exit_code)"
    )
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert run.returncode == 2, run.stderr
    assert run.stdout.startswith("deep.yaml:1:")


def test_a_hundred_levels_are_the_limit_for_yaml() -> None:
    nested = "[" * 99 + "]" * 99
    Path("a.yaml").write_text(POD + f"spec: {{containers: []}}\nx: {nested}\n")
    assert read(["a.yaml"]).of("Pod")
    assert "more than 100 levels of nesting" in message("a.yaml", POD + f"x: [{nested}]\n")


def test_the_slow_duplicate_check_agrees_with_the_fast_one() -> None:
    clean = b'{"a":{"b":[1,2.50,"\\u003c\\/"]},"c":1e5,"d":"\\ud83d\\ude00"}'
    assert json_text._duplicate(clean) is None
    assert json_text._duplicate(clean.replace(b'"d"', b'"\\u0063"')) == "c"


def test_a_list_that_holds_its_items_twice_gives_none_of_them() -> None:
    content = '{"apiVersion":"v1","kind":"List","items":[OBJECT],"items":[OBJECT,OBJECT]}'.replace("OBJECT", MINIMAL)
    found = list(json_text.objects(Text("a.json", content.encode(), 0, named=True)))
    assert [type(one) for one in found] == [InputError]
