"""Turning result files into what a reader looks at: tables, figures and a page."""
