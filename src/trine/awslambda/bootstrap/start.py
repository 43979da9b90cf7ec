"""The script of every guest interpreter: loads the guest's package under a name of its own, then runs a part of it.

`start.py zygote FD` serves forks; `start.py` alone runs a function in this very interpreter (one that brings its own
boto3, or another Python version). The package's name cannot clash with a module of the function.
"""

from __future__ import annotations

import importlib.util
import os
import sys

PACKAGE = "_trine_guest"


def load_package(directory: str) -> None:
    """Make the folder `directory` importable as the package `_trine_guest`, without touching `sys.path`."""
    spec = importlib.util.spec_from_file_location(
        PACKAGE, os.path.join(directory, "__init__.py"), submodule_search_locations=[directory]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)


def main() -> None:
    """Run the part that the first argument names, the runtime without one: as on AWS, where wrapper scripts put options
    before the last word of its command."""
    directory = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != directory]
    load_package(directory)
    part = importlib.import_module(f"{PACKAGE}.{sys.argv[1] if len(sys.argv) > 1 else 'runtime'}")
    arguments = sys.argv[2:]
    sys.argv[:] = ["bootstrap"]
    part.main(*arguments)


if __name__ == "__main__":
    main()
