"""Pictures of a report as plain SVG text, for the page and the PDF."""
