"""A panel: widgets for a person's front end, states for everything else."""

from types import SimpleNamespace
from typing import Any

import pytest
from ipywidgets import IntSlider

from coursework._common import panel as module
from coursework._common.panel import Panel, asked_by_a_person
from coursework._common.states import State

WIDGET = "application/vnd.jupyter.widget-view+json"


def doubled(n: int) -> State:
    if n == 7:
        raise ValueError("7 <is> not possible")
    return State("<svg/>", f"twice {n} is {2 * n}")


def make() -> Panel:
    return Panel("doubling", lambda: {"n": IntSlider(3)}, doubled, lambda: "<p>states</p>")


def shell_with(metadata: dict[str, Any] | None) -> Any:
    if metadata is None:
        return SimpleNamespace()
    parent = {"header": {}, "metadata": metadata}
    return SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda channel: parent))


@pytest.mark.parametrize(
    ("shell", "person"),
    [
        (None, False),
        (shell_with(None), False),
        (shell_with({}), False),
        (shell_with({"cellId": "a", "trusted": True}), True),
    ],
)
def test_who_names_the_cell_is_a_person(monkeypatch: pytest.MonkeyPatch, shell: Any, person: bool) -> None:
    monkeypatch.setattr(module, "get_ipython", lambda: shell)
    assert asked_by_a_person() is person
    bundle = make()._repr_mimebundle_()
    assert (WIDGET in bundle) is person
    # the same in a stored notebook, whoever asked
    assert bundle["text/html"] == "<p>states</p>"
    assert bundle["text/plain"] == "[panel: doubling]"


def test_a_control_that_moves_redraws() -> None:
    panel = make()
    shown = panel.widget.children[1]
    assert "twice 3 is 6" in shown.value
    panel.controls["n"].value = 5
    assert "twice 5 is 10" in shown.value


def test_values_that_do_not_go_together_are_explained_as_text() -> None:
    panel = make()
    panel.controls["n"].value = 7
    assert panel.widget.children[1].value == '<p role="alert">7 &lt;is&gt; not possible</p>'
