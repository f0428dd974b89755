from __future__ import annotations

import unicodedata

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.safetext import encodable, rewrite, safe_lines, safe_text
from tests.outputs.example_report import HOSTILE

anything = st.text(st.characters(codec=None, exclude_categories=()))


@given(anything)
def test_no_control_format_or_surrogate_character_survives(text: str) -> None:
    assert not {unicodedata.category(character) for character in safe_text(text)} & {"Cc", "Cs", "Zl", "Zp"}


@given(anything)
def test_safe_text_is_idempotent(text: str) -> None:
    assert safe_text(safe_text(text)) == safe_text(text)


@given(anything)
def test_safe_text_can_be_written_as_utf8(text: str) -> None:
    assert safe_text(text).encode().decode() == safe_text(text)


@given(anything)
def test_safe_lines_keeps_line_feeds_and_nothing_else(text: str) -> None:
    assert safe_lines(text).count("\n") == text.count("\n")
    assert safe_lines(text).replace("\n", "\\x0a") == safe_text(text)


@given(st.text("abcABC019 .:/-_<>&\"'éßΩЖ漢字→"))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert safe_text(text) == text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("\u202eexe", r"\u202eexe"),
        ("a\u200bb", r"a\u200bb"),
        ("\udc80", r"\udc80"),
        ("\ufffe", r"\ufffe"),
        ("\U0001ffff", r"\U0001ffff"),
        ("\U000e0041", r"\U000e0041"),
        ("a\nb\tc", r"a\x0ab\x09c"),
        ("\x85\x9b31m", r"\x85\x9b31m"),
        ("\u2066\u061c", r"\u2066\u061c"),
    ],
)
def test_hidden_characters_are_spelled_out(raw: str, shown: str) -> None:
    assert safe_text(raw) == shown


def test_encodable_changes_lone_surrogates_only() -> None:
    assert encodable("\x1b\udc80\u202eé") == "\x1b\\udc80\u202eé"


class Inner(msgspec.Struct, frozen=True):
    text: str
    counts: dict[str, int]


class Outer(msgspec.Struct, frozen=True):
    name: str
    inner: tuple[Inner, ...]
    number: int = 0


def test_rewrite_reaches_every_string_and_names_its_field() -> None:
    outer = Outer("a", (Inner("b", {"c": 1}),), 7)
    assert rewrite(outer, lambda text, field: f"{field}={text}") == Outer(
        "name=a", (Inner("text=b", {"counts=c": 1}),), 7
    )


def test_the_hostile_corpus_holds_what_it_is_meant_to() -> None:
    assert sum(safe_text(text) != text for text in HOSTILE) >= 4
