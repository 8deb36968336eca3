"""Lesson 02d: what was found in a folder of photographs, as one HTML page that needs no other file."""

import base64
import io
from html import escape

from tlcourse.data import folders
from tlcourse.lessons.ch02d_choosing_a_source.own_photos import drawing
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.judging import Results
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.recipe import recipe

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem }
table { border-collapse: collapse } caption { text-align: left; color: #555; caption-side: bottom }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #ddd }
img { max-width: 100%; height: auto }
.look { border-left: 4px solid #D55E00; padding-left: 1rem }
.wrong { display: flex; flex-wrap: wrap; gap: 1rem }
.wrong figure { margin: 0; width: 10rem } figcaption { font-size: .85rem; overflow-wrap: anywhere }
"""


def page(title: str, said: list[str], problems: list[str], inside: str = "") -> str:
    """Return a page with what was read and what needs a look; `inside` is HTML of what was measured."""
    look = f"<h2>Please look at</h2><div class='look'>{_list(problems)}</div>" if problems else ""
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f"<h1>Does transfer pay on {escape(title)}?</h1>{_list(said)}{look}{inside}</body></html>\n"
    )


def measured(results: Results, files: dict[str, bytes]) -> str:
    """Return what was measured as HTML: recipe, verdicts, curves, confusions, wrong photographs."""
    return "".join(
        [
            "<h2>The recipe for this folder</h2>",
            _list(recipe(results)),
            "<h2>Verdicts</h2>",
            _verdicts(results),
            "<h2>How many labels?</h2>",
            _image(files["label-efficiency"], "balanced accuracy against labels a class"),
            _accuracies(results),
            "<h2>What is taken for what</h2>",
            _image(files["confusion"], "confusion matrix, per cent of each class"),
            "<h2>Photographs named wrongly</h2>",
            _mistakes(results),
        ]
    )


def _list(sentences) -> str:
    return "<ul>" + "".join(f"<li>{escape(s)}</li>" for s in sentences) + "</ul>"


def _table(rows, note: str) -> str:
    header, *rest = [[escape(str(cell)) for cell in row] for row in rows]
    lines = [f"<tr>{''.join(f'<th>{c}</th>' for c in header)}</tr>"]
    lines += [f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in rest]
    return f"<table><caption>{escape(note)}</caption>{''.join(lines)}</table>"


def _verdicts(results: Results) -> str:
    table = results.table()
    return _table(table.rows, table.note)


def _accuracies(results: Results) -> str:
    """Return balanced and plain accuracy by method and labels, with the majority rule last."""
    rows = [("labels a class", *map(str, results.budgets))]
    for balanced, kind in ((True, "balanced"), (False, "plain")):
        found = results.accuracy(balanced).items()
        rows += [
            (f"{method}, {kind}", *(f"{100 * x:.1f} %" for x in values.mean(0)))
            for method, values in found
        ]
        least = f"{100 * results.majority(balanced):.1f} %"
        rows.append((f"always the commonest class, {kind}", *[least] * len(results.budgets)))
    return _table(rows, "mean over draws of labels; balanced: every class counts the same")


def _mistakes(results: Results) -> str:
    found = drawing.mistakes(results)
    if not found:
        return "<p>None, with the most labels.</p>"
    names, shown = results.album.names, []
    for mistake in found:
        path = results.album.paths[mistake.row]
        file = io.BytesIO()
        drawing.thumbnail(path).save(file, "JPEG", quality=85)
        words = (
            f"{mistake.words(names)} ({folders.shown(path)}; in {mistake.share:.0%} of the draws)"
        )
        image = _image(file.getvalue(), words, "jpeg")
        shown.append(f"<figure>{image}<figcaption>{escape(words)}</figcaption></figure>")
    ask = "Is it hard, badly cropped, or labelled wrongly? Or did the background decide?"
    return f"<p>{ask}</p><div class='wrong'>{''.join(shown)}</div>"


def _image(content: bytes, words: str, kind: str = "png") -> str:
    code = base64.b64encode(content).decode()
    return f'<img alt="{escape(words)}" src="data:image/{kind};base64,{code}">'
