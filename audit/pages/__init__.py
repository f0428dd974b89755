"""The report for people: one self-contained HTML page, and a PDF for the file cabinet.

Both are made from the same templates. Every string is sanitised before it reaches a template and escaped in it; neither
output refers to anything outside itself.
"""

from audit.pages.printed import pdf
from audit.pages.screen import html

__all__ = ["html", "pdf"]
