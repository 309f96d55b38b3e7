"""Plain text in Markdown, LaTeX and HTML: it renders as just that text, on one line."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import escape as markupsafe_escape

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
# What GitHub would take for markup; "$" would start a formula, "&" an entity.
_MARKUP = re.compile(r"([\\`*_\[\]<>|~$&])")
_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    # Behind the end of a line, these two would be read as its options.
    "[": "{[}",
    "*": "{*}",
    "+": "$+$",
    "±": r"$\pm$",
    MINUS: "$-$",
    TIMES: r"$\times$",
    MISSING: r"\textendash{}",
}


def markdown(text: str) -> str:
    """Return plain text as GitHub's Markdown."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def latex(text: str) -> str:
    """Return plain text as LaTeX; letters that a font may lack stay what they are."""
    escaped = "".join(_LATEX.get(character, character) for character in " ".join(text.split()))
    # Two of these would be drawn as one sign.
    return re.sub(r"([-,])(?=\1)", r"\1{}", escaped)


def html(text: str) -> str:
    """Return plain text as HTML."""
    return str(markupsafe_escape(" ".join(text.split())))


@dataclass(frozen=True)
class Language:
    """How a language escapes text, and how it shows the best and the second best figure."""

    escape: Callable[[str], str]
    best: str
    second: str


MARKDOWN = Language(markdown, "**{}**", "<ins>{}</ins>")
LATEX = Language(latex, r"\textbf{{{}}}", r"\underline{{{}}}")
HTML = Language(html, "<strong>{}</strong>", "<u>{}</u>")
