"""`spikemesh compare`: two folders of results side by side."""

from __future__ import annotations

import rich_click as click


@click.command()
@click.argument("a", type=click.Path())
@click.argument("b", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print every difference as JSON.")
def compare(a: str, b: str, as_json: bool) -> None:
    """Compare two folders of results, A and B: what was asked differently, and what came out
    differently, the largest first.

    Any two folders that -o wrote will do, and so will two points of a sweep.

    \b
    spikemesh compare results/wide results/narrow
    spikemesh compare results/wide results/narrow --json
    """
    from simulator.study import compare as study

    found = study.compare(a, b)
    if as_json:
        from simulator.report.writing import json_text

        click.echo(json_text(found.summary()), nl=False)
        return
    from simulator.report import terminal
    from simulator.report.compare import compare_view

    terminal.show(compare_view(found))
