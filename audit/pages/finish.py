"""A PDF/A-3a -> the same file that is PDF/UA-1 as well: what the renderer leaves out of the structure.

Input: the renderer's bytes. Output: bytes that depend on them only. Decisions: header cells say what they head, terms
and their texts are items of a list, the metadata names both standards, media types do not depend on the machine.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

ACCESSIBLE = (
    b'<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about=""'
    b' xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>1</pdfuaid:part></rdf:Description>'
    b'<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about=""'
    b' xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"'
    b' xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">'
    b'<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">'
    b"<pdfaSchema:schema>PDF/UA Universal Accessibility Schema</pdfaSchema:schema>"
    b"<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>"
    b"<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>"
    b'<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">'
    b"<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>"
    b"<pdfaProperty:category>internal</pdfaProperty:category>"
    b"<pdfaProperty:description>Part of ISO 14289 to which the document conforms</pdfaProperty:description>"
    b"</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>"
)
"""PDF/UA-1 in XMP, and the description of that schema which PDF/A asks for. Only the first RDF of a packet counts."""
END = b"</rdf:RDF>"
_IN_LISTS = ("/LI", "/L", "/Caption", "/Div")


def finish(made: bytes, media_types: Mapping[str, str]) -> bytes:
    """The finished file; `media_types` are those of the attachments by name."""
    import pikepdf

    with pikepdf.open(io.BytesIO(made)) as pdf:
        packet = pdf.Root.Metadata.read_bytes()
        pdf.Root.Metadata.write(packet.replace(END, ACCESSIBLE + END, 1))
        for name, file in pdf.attachments.items():
            file.get_file().obj.Subtype = pikepdf.Name(f"/{media_types[name]}")
        pdf.Root.AF = pikepdf.Array({one.objgen: one for one in pdf.Root.AF}.values())  # the renderer names each twice
        for element in _elements(pdf):
            match str(element.get("/S")):
                case "/TH":
                    _head(element, pikepdf.Name)
                case "/L":
                    _list(element, pikepdf)
        written = io.BytesIO()
        pdf.save(written, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return written.getvalue()


def _elements(pdf: Any) -> Iterator[Any]:
    """Every element of the structure tree."""
    import pikepdf

    for found in pdf.objects:
        if isinstance(found, pikepdf.Dictionary) and found.get("/Type") == "/StructElem":
            yield found


def _head(cell: Any, name: Any) -> None:
    """A header cell in the head of a table heads its column, any other its row."""
    section = cell.P.P.get("/S")
    cell.A.Scope = name.Column if section == "/THead" else name.Row


def _list(element: Any, pikepdf: Any) -> None:
    """Groups of a term and its text, which HTML allows within a list, become items; space between items joins them."""
    items: list[Any] = []
    for kid in element.get("/K", []):
        kind = str(kid.get("/S"))
        if kind == "/Div":
            _item(kid, pikepdf)
        elif kind not in _IN_LISTS and items:
            body = items[-1].K[-1]
            kid.P = body
            body.K.append(kid)
            continue
        items.append(kid)
    element.K = pikepdf.Array(items)


def _item(group: Any, pikepdf: Any) -> None:
    """A group becomes an item: the term its label, the texts its body."""
    group.S = pikepdf.Name.LI
    parts = [part for item in group.K for part in (item.K if item.get("/S") == "/LI" else [item])]
    for place, part in enumerate(parts):
        part.P = group
        part.S = pikepdf.Name.LBody if place else pikepdf.Name.Lbl
    group.K = pikepdf.Array(parts)
