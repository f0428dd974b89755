"""Pages, style sheets and fonts of the HTML and PDF report; imported as `audit.report_templates`."""
