"""Prints the requirements of the named extras of pyproject.toml, one a line.

`pip install .[test]` would build the project as well; the tests want only what they need beside
it. Python 3.10 has no TOML reader in its library, so the few lines are read as what they are.
"""

import ast
import pathlib
import re
import sys


def main() -> None:
    """Print the extras that the command line names."""
    text = pathlib.Path(__file__).parent.parent.joinpath("pyproject.toml").read_text()
    table = text.split("[project.optional-dependencies]", 1)[1].split("\n[", 1)[0]
    for extra in sys.argv[1:]:
        found = re.search(rf"^{extra} = (\[.*?\])$", table, re.MULTILINE | re.DOTALL)
        if found is None:
            sys.exit(f"no extra named {extra}")
        print("\n".join(ast.literal_eval(found[1])))


if __name__ == "__main__":
    main()
