"""Files for machines: one module per format and version; each has `render(report) -> bytes`."""
