"""The command `noc` in this process, in a folder of its own."""

import pytest
from click.testing import CliRunner


@pytest.fixture
def noc(tmp_path, monkeypatch):
    """Return what runs `spikemesh noc` with arguments and gives its output; SpikemeshErrors pass through."""
    from simulator.commands.noc import noc as command

    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        result = CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run
