"""Quiz questions that explain every option, right or wrong, wherever a notebook is shown.

A question is plain HTML: each option unfolds to its explanation. So it needs no widget and no
JavaScript, works by keyboard, and stays readable in a book, on GitHub and on paper.
"""

import html
import re
from dataclasses import dataclass

from IPython import get_ipython
from IPython.display import display


@dataclass(frozen=True)
class Option:
    """One possible answer: its `text`, why it is right or wrong, and whether it `is_right`."""

    text: str
    explanation: str
    is_right: bool


def right(text: str, explanation: str) -> Option:
    """Return a right option; the explanation says why it is."""
    return Option(text, explanation, True)


def wrong(text: str, explanation: str) -> Option:
    """Return a wrong option; the explanation says what is mistaken about it."""
    return Option(text, explanation, False)


def ask(text: str, *options: Option) -> None:
    """Show a question whose options unfold to their explanations.

    Parameters
    ----------
    text : str
        The question. ```code``` and ``$mathematics$`` may stand in every text.
    *options : Option
        Two or more, made by `right` and `wrong`, in the order shown; at least one is right.

    Raises
    ------
    ValueError
        If no option is right, one stands twice, one has no explanation, or there are under two.
    TypeError
        If an option was not made by `right` or `wrong`.
    """
    check_question(text, options)
    if get_ipython() is None:
        print(as_text(text, options))
        return
    display({"text/html": as_html(text, options), "text/plain": as_text(text, options)}, raw=True)


def check_question(text: str, options: tuple[Option, ...]) -> None:
    """Raise unless the question can be asked; see `ask`."""
    for option in options:
        if not isinstance(option, Option):
            raise TypeError(f"option {option!r} says not if it is right: use right() or wrong().")
        if not option.text.strip() or not option.explanation.strip():
            raise ValueError(f"option {option.text!r} of {text!r} needs a text and an explanation.")
    if len({option.text for option in options}) < max(2, len(options)):
        raise ValueError(f"{text!r} needs two or more options, all of them different.")
    if not any(option.is_right for option in options):
        raise ValueError(f"{text!r} has no right option: make one with right().")


def as_html(text: str, options: tuple[Option, ...]) -> str:
    """Return the question as HTML; what is not `code` or $mathematics$ is escaped."""
    items = "\n".join(
        f'<details style="margin: 0.4em 0"><summary style="cursor: pointer">{inline(o.text)}'
        f'</summary><div style="margin: 0.2em 0 0.7em 1.2em"><strong>{_word(o)}</strong> '
        f"{inline(o.explanation)}</div></details>"
        for o in options
    )
    return (
        '<div style="max-width: 46em; margin: 0.5em 0; padding: 0.1em 1em; '
        f'border-left: 4px solid #0072B2">\n<p><strong>Question.</strong> {inline(text)}</p>\n'
        f"{items}\n<p><small>{_advice(options)} Open an option to see whether it is right, and "
        "why: click it, or press Tab and Enter.</small></p>\n</div>"
    )


def as_text(text: str, options: tuple[Option, ...]) -> str:
    """Return the question as plain text, for a terminal."""
    letters = [f"{letter})" for letter, _ in zip("abcdefghijklm", options, strict=False)]
    asked = [f"  {x} {o.text}" for x, o in zip(letters, options, strict=True)]
    solved = [f"  {x} {_word(o)} {o.explanation}" for x, o in zip(letters, options, strict=True)]
    return "\n".join([f"Question. {text} ({_advice(options)})", *asked, "Answers:", *solved])


def inline(text: str) -> str:
    """Escape a text for HTML; `code` becomes <code>, $mathematics$ stays for MathJax."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def _word(option: Option) -> str:
    return "✓ Right." if option.is_right else "✗ No."


def _advice(options: tuple[Option, ...]) -> str:
    number = sum(option.is_right for option in options)
    return "One is right." if number == 1 else f"{number} are right."
