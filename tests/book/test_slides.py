"""The decks of slides as an audience sees them; `make test-book` makes them first."""

import re
from pathlib import Path

import pytest
from visitor import CDN, is_elsewhere, visit

ROOT = Path(__file__).parent.parent.parent
DECKS = ROOT / "_book" / "slides"
LESSONS = sorted(path.stem for path in (ROOT / "chapters").glob("[0-9]*.ipynb"))

if not DECKS.exists():
    pytest.skip("there are no slides yet: make slides", allow_module_level=True)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_deck_has_slides_and_figures_and_loads_nothing_from_elsewhere(lesson):
    html = (DECKS / f"{lesson}.html").read_text(encoding="utf-8")
    assert 8 < len(re.findall(r"<section", html)) / 2 <= 24
    pictures = re.findall(r"<img[^>]*>", html)
    assert len(pictures) >= (3 if lesson.startswith("00") else 4)  # a quarter of an hour has fewer
    assert all(re.search(r"""alt=["']Figure \d""", picture) for picture in pictures)
    assert CDN.search(html) is None
    loads = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"([^\"]+)\"", html)
    assert loads
    for address in loads:
        own = address.startswith("data:") or not is_elsewhere(address)
        assert own and (address.startswith("data:") or (DECKS / address).is_file()), address


def test_a_deck_is_shown_slide_by_slide(browser):
    site = DECKS.as_uri() + "/"
    tab, faults = visit(browser, site)
    tab.goto(site + "03_tuning.html")
    tab.wait_for_function("window.Reveal && Reveal.isReady()")
    for number in range(tab.evaluate("Reveal.getTotalSlides()")):
        assert tab.evaluate("Reveal.getState().indexh") == number
        seen = tab.evaluate("""() => {
            const slide = Reveal.getCurrentSlide();
            return slide.innerText.trim().length + slide.querySelectorAll('img').length;
        }""")
        assert seen > 0
        tab.keyboard.press("ArrowRight")
    assert faults == []
    tab.close()
