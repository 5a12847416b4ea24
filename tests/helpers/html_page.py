"""A page of HTML, parsed: what the tests look for in it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

# Elements without an end tag.
_VOID = {"meta", "link", "img", "br", "hr", "input"}


@dataclass
class Node:
    """An element: its tag, attributes and children, which are elements and texts."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list["Node | str"] = field(default_factory=list)

    def all(self, tag: str = "", **attributes: str) -> list["Node"]:
        """Return the elements inside with this tag and these attributes, in order."""
        found = []
        for child in self.children:
            if isinstance(child, Node):
                wanted = attributes.items() <= child.attributes.items()
                found += [child] if wanted and tag in ("", child.tag) else []
                found += child.all(tag, **attributes)
        return found

    def one(self, tag: str = "", **attributes: str) -> "Node":
        """Return the only such element."""
        (node,) = self.all(tag, **attributes)
        return node

    @property
    def text(self) -> str:
        """The text inside, with single spaces."""
        parts = (child if isinstance(child, str) else child.text for child in self.children)
        return " ".join(" ".join(parts).split())

    @property
    def rows(self) -> list[list[str]]:
        """The texts of a table, row by row."""
        cells = ("th", "td")
        return [[c.text for c in row.all() if c.tag in cells] for row in self.all("tr")]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("document")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(text: str) -> Node:
    """Return a page's elements; AssertionError if one is not closed."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    assert len(parser.open) == 1, f"<{parser.open[-1].tag}> is not closed"
    return parser.open[0]
