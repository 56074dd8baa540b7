"""`python -m corrente`: the same as the command `corrente`."""

import sys

from corrente._main import main

if __name__ == "__main__":
    sys.exit(main())
