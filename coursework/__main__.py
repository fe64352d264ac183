"""`python -m coursework` is the `coursework` command."""

from coursework.cli import main

main()
