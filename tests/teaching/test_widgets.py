"""What all explorers are built from."""

import ast
from pathlib import Path

import ipywidgets

from tlcourse.teaching import widgets

CLEARED = "\x1b[2K\r"  # what clearing an output prints where there is no kernel


def test_what_is_drawn_follows_every_control(capsys):
    def drawn():
        return capsys.readouterr().out.replace(CLEARED, "")

    box = widgets.explorer(
        lambda **chosen: print(*chosen.values()),
        kind=widgets.menu("a kind", ["x", "y"]),
        stop=widgets.stops("a stop", [1, 5, 9], 5),
        size=widgets.slider("a size", 0, 1, 0.5),
        count=widgets.counter("a count", 7, 3),
    )
    *controls, output = box.children
    assert isinstance(output, ipywidgets.Output)
    assert [c.description for c in controls] == ["a kind", "a stop", "a size", "a count"]
    assert not any(getattr(c, "continuous_update", False) for c in controls)
    assert drawn() == "x 5 0.5 3\n", "it is drawn at once"
    values = [("y", "y 5 0.5 3"), (9, "y 9 0.5 3"), (0.1, "y 9 0.1 3"), (0, "y 9 0.1 0")]
    for control, (value, shown) in zip(controls, values, strict=True):
        control.value = value
        assert drawn() == f"{shown}\n"
        control.value = value
        assert drawn() == "", "nothing changed, nothing is drawn"


# What ipywidgets 7.7.1 has, the version that Colab has.
OLD = """
    Accordion AppLayout Audio BoundedFloatText BoundedIntText Box Button ButtonStyle Checkbox Color
    ColorPicker Combobox Controller DatePicker Dropdown FileUpload FloatLogSlider FloatProgress
    FloatRangeSlider FloatSlider FloatText GridBox GridspecLayout HBox HTML HTMLMath Image IntProgress
    IntRangeSlider IntSlider IntText Label Layout Output Password Play RadioButtons Select
    SelectMultiple SelectionRangeSlider SelectionSlider SliderStyle Style Tab Text Textarea
    ToggleButton ToggleButtons ToggleButtonsStyle TwoByTwoLayout VBox Valid Video Widget fixed
    interact interact_manual interactive interactive_output jsdlink jslink
"""


def test_only_what_old_versions_of_ipywidgets_have_is_used():
    tree = ast.parse(Path(widgets.__file__).read_text(encoding="utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "ipywidgets"
    }
    assert {"SelectionSlider", "Dropdown", "interactive_output"} <= used <= set(OLD.split())
    assert not [n for n in ast.walk(tree) if getattr(n, "module", None) == "ipywidgets"]
