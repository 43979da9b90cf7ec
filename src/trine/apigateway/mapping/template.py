"""A mapping template ready to render: parsed at load, bounded when it runs.

Enters the template's text, later the variables of a request; leaves the written text, or a `TemplateError`.
"""

from __future__ import annotations

from typing import Any

from trine.apigateway.mapping.nodes import Block
from trine.apigateway.mapping.parser import parse
from trine.apigateway.mapping.scope import Break, Scope, Stop
from trine.apigateway.mapping.values import TemplateError

__all__ = ["Template", "TemplateError"]


class Template:
    """One mapping template. A text without `$` and `#` costs nothing to render."""

    __slots__ = ("_block", "_static", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._static = "$" not in source and "#" not in source and "\\" not in source
        self._block: Block | None = None if self._static else parse(source)

    @property
    def is_static(self) -> bool:
        """True when every rendering is the source itself."""
        return self._static

    def render(self, variables: dict[str, Any]) -> str:
        """The written text. `variables` (`input`, `context`, …) may be changed by `#set`. Raises TemplateError."""
        if self._block is None:
            return self.source
        scope = Scope(variables)
        try:
            self._block.render(scope)
        except (Stop, Break):
            pass
        except RecursionError:
            raise TemplateError("the template is nested too deeply") from None
        return "".join(scope.out)
