"""Finds rules: the built-in ones, those of installed packages, and files of a directory.

Rules are values, so finding them runs no check. A file that cannot be imported is an error, never a rule that is
silently missing.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from audit.errors import Position, UsageError
from audit.rule import Rule

ENTRY_POINTS = "audit.rules"
"""Entry-point group; each entry names a Rule or a module that holds some."""


def discover(directory: Path | None = None) -> tuple[Rule, ...]:
    """All rules, sorted by id; UsageError for a file that cannot be imported and for an id that two rules have."""
    found: dict[str, tuple[Rule, str]] = {}
    for rule, where in (*_built_in(), *_installed(), *(_files(directory) if directory else ())):
        known, first = found.setdefault(rule.id, (rule, where))
        if known is not rule:
            msg = f"rule `{rule.id}` is defined twice: in `{first}` and in `{where}`"
            raise UsageError(msg)
    return tuple(rule for _, (rule, _) in sorted(found.items()))


def pack(rules: Iterable[Rule], version: str) -> str:
    """`builtin 0.1.0, 12 rules, 3f9c2b1d`: the digest covers ids, titles, severities and needs."""
    rules = tuple(rules)
    text = "\n".join(f"{one.id}|{one.title}|{one.severity}|{','.join(one.needs)}" for one in rules)
    return f"builtin {version}, {len(rules)} rules, {hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _built_in() -> Iterator[tuple[Rule, str]]:
    package = importlib.import_module("audit.rules")
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        yield from _values(importlib.import_module(f"audit.rules.{info.name}"))


def _installed() -> Iterator[tuple[Rule, str]]:
    from importlib.metadata import entry_points

    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: (entry.name, entry.value)):
        try:
            loaded = entry.load()
        except Exception as error:
            msg = f"rules of entry point `{entry.name}` cannot be loaded: {type(error).__name__}: {error}"
            raise UsageError(msg) from error
        if isinstance(loaded, Rule):
            yield loaded, entry.value
        elif isinstance(loaded, ModuleType):
            yield from _values(loaded)
        else:
            msg = f"entry point `{entry.name}` is neither a rule nor a module with rules"
            raise UsageError(msg)


def _files(directory: Path) -> Iterator[tuple[Rule, str]]:
    if not directory.is_dir():
        msg = f"rules directory `{directory}` does not exist"
        raise UsageError(msg)
    files = [path for path in sorted(directory.glob("*.py")) if not path.name.startswith("_")]
    if not files:
        msg = f"rules directory `{directory}` holds no Python file"
        raise UsageError(msg)
    for path in files:
        found = list(_values(_imported(path), str(path)))
        if not found:
            msg = "no rule in this file"
            raise UsageError(msg, Position(str(path)), "a rule is a function under `@rule(...)` of audit.rule")
        yield from found


def _imported(path: Path) -> ModuleType:
    name = f"zone_audit_rules_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        msg = "not a Python file"
        raise UsageError(msg, Position(str(path)))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # an audit leaves no files beside its input
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        line = error.lineno or 0 if isinstance(error, SyntaxError) else 0
        msg = f"rule file cannot be loaded: {type(error).__name__}: {error}"
        raise UsageError(msg, Position(str(path), line)) from error
    finally:
        sys.dont_write_bytecode = writes
    return module


def _values(module: ModuleType, where: str = "") -> list[tuple[Rule, str]]:
    """The rules that a module holds, sorted by id."""
    rules = {id(value): value for value in vars(module).values() if isinstance(value, Rule)}
    return [(rule, where or module.__name__) for rule in sorted(rules.values(), key=lambda rule: rule.id)]
