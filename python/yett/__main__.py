"""`python -m yett`: runs the program `yett` that was installed beside this interpreter."""

import os
import sys
import sysconfig


def main() -> None:
    """Become the program; it runs the application by this interpreter."""
    program = os.path.join(sysconfig.get_path("scripts"), "yett")
    if not os.path.exists(program):
        sys.exit(f"the program is not beside this interpreter: {program} does not exist")
    os.environ.setdefault("YETT_PYTHON", sys.executable)
    os.execv(program, [program, *sys.argv[1:]])


if __name__ == "__main__":
    main()
