"""The server's own messages: where they go, and that nobody loses them by accident.

Python's `logging` is the application's to configure: the root logger is left as it is, or its
`logging.basicConfig()` would do nothing. Where it has handlers, ours go there; until then to
standard error, and to `--log-file` in any case. Loggers of others are not known here.
"""

from __future__ import annotations

import logging
import logging.handlers

FORMAT = "%(levelname)s %(name)s: %(message)s"

#: The logger above all of ours.
OURS = "corrente"


def begin(level: str, file: str | None) -> None:
    """Show messages from this level on, and write them into a file if there is one.

    Raises:
        OSError: the file cannot be opened.
    """
    ours = logging.getLogger(OURS)
    ours.setLevel(level)
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler()
        handler.addFilter(_is_nobodys)
    else:
        # One that is moved away is made anew.
        handler = logging.handlers.WatchedFileHandler(file)
    handler.setFormatter(logging.Formatter(FORMAT))
    ours.addHandler(handler)


def _is_nobodys(_record: logging.LogRecord) -> bool:
    """Whether the application has not said where messages go."""
    return not logging.getLogger().handlers


def keep() -> None:
    """Have our loggers speak again.

    `logging.config` switches off all that are there and that it does not name, which nobody means.
    """
    for name, logger in logging.getLogger().manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and f"{name}.".startswith(f"{OURS}."):
            logger.disabled = False
