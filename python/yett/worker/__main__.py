"""Entry point: `python -m yett.worker JSON`. Started by the program, never by hand."""

import sys

from yett.worker.zygote import main

sys.exit(main(sys.argv[1:]))
