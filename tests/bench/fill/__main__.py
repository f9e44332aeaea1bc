"""`make fill`: a home filled with a large history, checked by `throughline verify`."""

import asyncio
import sys
from argparse import ArgumentParser
from pathlib import Path

from deploy.local.control import take_down
from deploy.local.home import Home
from tests.bench import builds
from tests.bench.builds import THIS
from tests.bench.fill.homes import filled, place
from tests.bench.plan import told


def main() -> None:
    """Fill, and check."""
    parser = ArgumentParser(prog="python -m tests.bench.fill", description=__doc__)
    parser.add_argument("--deals", type=int, default=5_000, help="some 20 events each; 5000 are 10⁵ events")
    parser.add_argument("--home", type=Path, help="where; default: a home of its own in .throughline")
    parser.add_argument(
        "--published", action="store_true", help="let the copies count as published, and check nothing: for millions"
    )
    chosen = parser.parse_args()
    path = chosen.home or place(THIS, chosen.deals)
    sys.exit(asyncio.run(_fill(path.resolve(), chosen.deals, published=chosen.published)))


async def _fill(path: Path, deals: int, *, published: bool) -> int:
    await filled(THIS, path, deals, published=published, say=told)
    return 0 if published else await _verify(path)


async def _verify(path: Path) -> int:
    """Let the services publish and fold everything, and compare."""
    try:
        local = await builds.up(THIS, Home(path))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.cli.main", "verify", "--patience", "400"),
            env={**local.environment, "THROUGHLINE_HOME": str(path)},
        )
        return await process.wait()
    finally:
        await take_down(Home(path))


if __name__ == "__main__":
    main()
