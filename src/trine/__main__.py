"""`python -m trine` is the command `trine`."""

from trine.cli.main import main

main()
