"""What several studies need: the command `noc` in this process, and one always-on study."""

from fractions import Fraction

import pytest
from click.testing import CliRunner


@pytest.fixture
def noc(tmp_path, monkeypatch):
    """Return what runs `spikemesh noc` with arguments and gives its output; SpikemeshErrors pass
    through.
    """
    from simulator.commands.noc import noc as command

    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        result = CliRunner().invoke(
            command, [str(argument) for argument in arguments], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


@pytest.fixture(scope="session")
def mlp():
    """Return the outcomes of digits-mlp on the default chip at 10 Hz: two duties, every policy, 200
    frames.
    """
    from simulator.study.always_on import always_on

    return always_on(
        "digits-mlp", "generic-22nm", Fraction(10), [Fraction(1, 100), Fraction(1, 10)], frames=200
    )
