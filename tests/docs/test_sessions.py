"""Pages that are sessions at a terminal print what they show: every command, in order."""

import pytest
from sessions import PAGES, furnish, of_page, printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_prints_what_the_page_shows(page, tmp_path):
    furnish(tmp_path, page)
    for command, shown in of_page(page):
        assert (command, shown) == (command, printed(command, tmp_path))


def test_the_sessions_are_found():
    assert {"noc.md", "python.md", "tutorial.md"} <= {page.name for page in PAGES}
