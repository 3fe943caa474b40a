"""The command `creased` as ``python -m creased``, where the script is not on the PATH."""

from creased.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
