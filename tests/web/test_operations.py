from pathlib import Path

from web.settings import variables

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_operations_page_lists_every_setting_as_it_is():
    page = PAGE.read_text()
    for name, default, meaning in variables():
        shown = f"`{default}`" if default else ""
        assert f"| `{name}` | {shown} | {meaning} |" in page
