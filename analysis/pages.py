"""Markdown -> a page of HTML for the report, readable on a phone too."""

from markdown_it import MarkdownIt

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1e293b; background: #fff;
  margin: 1rem auto; max-width: 72rem; padding: 0 1rem; }}
h1 {{ font-size: 1.4rem; }}
h2 {{ font-size: 1.15rem; margin-top: 2rem; }}
.table {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .3rem .6rem; border-bottom: 1px solid #cbd5e1; text-align: right;
  white-space: nowrap; }}
th:first-child, td:first-child {{ text-align: left; }}
thead th {{ border-bottom: 2px solid #475569; vertical-align: bottom; }}
tbody tr:hover {{ background: #f1f5f9; }}
</style>
{body}
</html>
"""


def to_html(markdown: str, title: str) -> str:
    """Return a complete page; HTML in the text is shown as text."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    body = body.replace("<table>", '<div class="table"><table>')
    return _PAGE.format(title=title, body=body.replace("</table>", "</table></div>"))
