"""What counts as a change of the code, and what does not."""

import pytest

from tinygan.syntax import digest_source

PLAIN = '''
def f(x, scale=2):
    """Return something."""
    total = x + 1  # why

    def inner():
        return total + offset

    pairs = [(k, v) for k, v in total.items()]
    return inner, pairs, scale
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # why", ""),
        ('    """Return something."""\n', ""),
        ("total", "result"),
        ("(k, v) for k, v", "(name, item) for name, item"),
        ("x + 1", "(x\n        + 1)"),
        ("pairs", "couples"),
    ],
)
def test_comments_docstrings_layout_and_local_names_do_not_count(old, new):
    assert old in PLAIN
    assert digest_source(PLAIN.replace(old, new)) == digest_source(PLAIN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x + 1", "x + 2"),
        ("offset", "shift"),  # another global
        ("scale", "factor"),  # an argument may be passed by its name
        ("def f", "def g"),
        ("(k, v) for k, v", "(v, k) for k, v"),
        ("total.items", "total.values"),
        ("return total + offset", "return offset + total"),
        ("return inner, pairs", "return pairs, inner"),
    ],
)
def test_changes_of_behaviour_count(old, new):
    assert old in PLAIN
    assert digest_source(PLAIN.replace(old, new)) != digest_source(PLAIN)


@pytest.mark.parametrize(
    "template",
    [
        "def f():\n    def g():\n        {0} = 1\n        return {0}\n    return g() + {0}\n",
        "def f():\n    return [{0} for {0} in range(3)] + {0}\n",
        "def f():\n    return [{0} for {0} in {0}]\n",
        "def f():\n    global {0}\n    {0} = 1\n",
        "def f():\n    class A:\n        {0} = 1\n    return A\n",
        "{0} = 1\n",
    ],
)
def test_names_visible_elsewhere_count(template):
    """A global, or an attribute, that has the name of a local of another scope."""
    assert digest_source(template.format("a")) != digest_source(template.format("b"))
