"""Markdown as lines with tones: paragraphs, emphasis, code, lists and headings, which is what a step says."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rwk_tui.cockpit.text import Line, Span, Tone, clean, fit, wrap


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


@lru_cache(maxsize=64)
def markdown_lines(source: str, width: int) -> tuple[Line, ...]:
    """The text as lines of at most `width` cells; the same text is worked out once."""
    lines: list[Line] = []
    indents: list[str] = []
    bullet = ""
    numbers: list[int] = []
    heading = False
    for token in _parser().parse(source):
        kind = token.type
        if kind in ("bullet_list_open", "ordered_list_open"):
            numbers.append(0 if kind[0] == "b" else int(token.attrGet("start") or 1))
        elif kind in ("bullet_list_close", "ordered_list_close"):
            numbers.pop()
            if not numbers:
                _gap(lines)
        elif kind == "list_item_open":
            bullet = "• " if not numbers[-1] else f"{numbers[-1]}. "
            numbers[-1] += 1 if numbers[-1] else 0
            indents.append(" " * len(bullet))
        elif kind == "list_item_close":
            indents.pop()
        elif kind == "blockquote_open":
            indents.append("│ ")
        elif kind == "blockquote_close":
            indents.pop()
        elif kind == "heading_open":
            heading = True
        elif kind in ("heading_close", "paragraph_close"):
            heading = False
            if not numbers:
                _gap(lines)
        elif kind in ("fence", "code_block"):
            code = token.content.rstrip("\n").split("\n")
            lines += [fit((Span("".join(indents) + "  "), Span(clean(text), "code")), width) for text in code]
            _gap(lines)
        elif kind == "inline":
            indent = "".join(indents)
            first = indent[: len(indent) - len(bullet)] + bullet if bullet else indent
            bullet = ""
            for number, part in enumerate(_inline(token.children or [], "strong" if heading else "plain")):
                lead = first if number == 0 else indent
                lines += wrap((Span(lead, "muted"), *part) if lead else part, width, len(indent))
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines)


def _gap(lines: list[Line]) -> None:
    if lines and lines[-1]:
        lines.append(())


def _inline(children: list[Token], base: Tone) -> list[Line]:
    """Running text as one line for each hard break."""
    lines: list[list[Span]] = [[]]
    tones: list[Tone] = [base]
    for token in children:
        if token.type in ("strong_open", "em_open"):
            tones.append("strong" if token.type[0] == "s" else "accent")
        elif token.type in ("strong_close", "em_close"):
            tones.pop()
        elif token.type == "code_inline":
            lines[-1].append(Span(clean(token.content), "code"))
        elif token.type == "softbreak":
            lines[-1].append(Span(" ", tones[-1]))
        elif token.type == "hardbreak":
            lines.append([])
        elif token.content:
            lines[-1].append(Span(clean(token.content), tones[-1]))
    return [tuple(spans) for spans in lines]
