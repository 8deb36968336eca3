from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loops import each_is_refused

from tlcourse.teaching.quiz import Option, as_html, as_text, ask, right, wrong

OPTIONS = (
    wrong("All weights, slowly", "That is fine-tuning."),
    right("Only a linear head", "The backbone is frozen: `requires_grad` is False and $n<5$."),
)


def test_every_option_unfolds_to_its_explanation():
    page = ElementTree.fromstring(as_html("What does a linear probe learn?", OPTIONS))
    unfolding = page.findall("details")
    assert [d.find("summary").text for d in unfolding] == [o.text for o in OPTIONS]
    texts = ["".join(d.find("div").itertext()) for d in unfolding]
    assert texts[0] == "✗ No. That is fine-tuning."
    assert texts[1].startswith("✓ Right. The backbone is frozen")


def test_code_and_mathematics_survive_and_markup_does_not():
    html = as_html("Is `a<b>` in $x < y$ <script>alert(1)</script>?", OPTIONS)
    assert "<code>a&lt;b&gt;</code>" in html
    assert "$x &lt; y$" in html
    assert "<script>" not in html


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_any_text_gives_well_formed_html_that_says_it(text):
    page = ElementTree.fromstring(as_html(text, OPTIONS))
    assert "".join(page.find("p").itertext()).replace("`", "") == f"Question. {text}".replace(
        "`", ""
    )


def test_the_number_of_right_options_is_said():
    assert "One is right." in as_html("?", OPTIONS)
    assert "2 are right." in as_html("?", (*OPTIONS, right("A classifier", "Yes.")))


NO_QUESTIONS = [
    ((), "two or more options"),
    ((right("a", "b"),), "two or more options"),
    ((right("a", "b"), wrong("a", "c")), "all of them different"),
    ((wrong("a", "b"), wrong("c", "d")), "no right option"),
    ((right("a", "b"), wrong("c", " ")), "needs a text and an explanation"),
    ((right("", "b"), wrong("c", "d")), "needs a text and an explanation"),
]


def test_a_question_that_cannot_be_asked_says_why():
    asked = [(("Which?", *options), words) for options, words in NO_QUESTIONS]
    each_is_refused(ValueError, ask, asked)
    with pytest.raises(TypeError, match="use right"):
        ask("Which?", right("a", "b"), "c")


def test_without_a_notebook_the_question_is_plain_text(capsys):
    ask("What does a linear probe learn?", *OPTIONS)
    assert capsys.readouterr().out == as_text("What does a linear probe learn?", OPTIONS) + "\n"
    assert as_text("Q?", OPTIONS).splitlines()[:2] == [
        "Question. Q? (One is right.)",
        "  a) All weights, slowly",
    ]


def test_options_are_values():
    assert right("a", "b") == Option("a", "b", True)
    assert wrong("a", "b") == Option("a", "b", False)
