"""A panel to touch: widgets where a person's front end asks with a kernel, precomputed states elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from IPython.core.getipython import get_ipython

from coursework._common.states import State


class Panel:
    """Controls, and what they show; as a cell's value it displays itself.

    Parameters
    ----------
    title : what it is, for the plain text of the output.
    controls : makes the widgets, by the name under which `redraw` takes their values.
    redraw : returns the state for the controls' values.
    static : returns the HTML of precomputed states (see `states.states_html`).
    """

    def __init__(
        self,
        title: str,
        controls: Callable[[], Mapping[str, Any]],
        redraw: Callable[..., State],
        static: Callable[[], str],
    ) -> None:
        self.title, self._make_controls, self._redraw, self._static = title, controls, redraw, static

    @cached_property
    def controls(self) -> Mapping[str, Any]:
        """The widgets by name."""
        return self._make_controls()

    @cached_property
    def widget(self) -> Any:
        """The panel as one ipywidgets widget: the controls above what they show."""
        from ipywidgets import HBox, HTMLMath, Layout, VBox

        shown = HTMLMath()
        shown.add_class("jp-RenderedHTMLCommon")  # JupyterLab's own style: no picture wider than the page

        def redraw(_: object = None) -> None:
            values = {name: control.value for name, control in self.controls.items()}
            try:
                shown.value = self._redraw(**values).html()
            except ValueError as error:  # values that do not go together; the message says which would
                shown.value = State.refusal(error)

        for control in self.controls.values():
            control.observe(redraw, "value")
        redraw()
        flow = Layout(flex_flow="row wrap")
        return VBox([HBox(list(self.controls.values()), layout=flow), shown])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle = {"text/plain": f"[panel: {self.title}]", "text/html": self._static()}
        # what is stored in a notebook and compared by nbval are the states alone: a widget is another
        # one in every kernel, and nothing without it
        return bundle | self.widget._repr_mimebundle_() | bundle if asked_by_a_person() else bundle


def asked_by_a_person() -> bool:
    """Return whether a front end such as JupyterLab runs this cell, and not papermill, nbclient or nbval.

    Front ends that show notebooks name the cell in the request; programs that run them do not.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return False
    return "cellId" in kernel.get_parent("shell").get("metadata", {})
