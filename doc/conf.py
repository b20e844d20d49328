# SPDX-License-Identifier: BSD-3-Clause
"""Sphinx: sphinx-build doc build/doc."""

project = "Nahanni"
author = "the Nahanni authors"
copyright = "2026, the Nahanni authors"
version = "0.1"
release = "0.1.0"

extensions = []
exclude_patterns = []
highlight_language = "none"
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "description": "messages through ivshmem"}
html_show_sourcelink = False
