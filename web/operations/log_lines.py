"""The log as JSON, one object a line, for machines that collect it (`FLASHBACK_LOG=json`)."""

import json
import logging
import sys
from datetime import UTC, datetime

from web.operations.request_id import current_request


class JsonLines(logging.Formatter):
    """Writes a record as one line: time, level, logger, message, request and traceback.

    Args:
        more: What every line says besides.
    """

    def __init__(self, **more: str) -> None:
        super().__init__()
        self._more = more

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._more,
        }
        if (request := current_request()) is not None:
            fields["request"] = request
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def log_as_json(**more: str) -> None:
    """Write what is logged in this process to standard error as JSON, from now on, each line with `more`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(**more))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # they have handlers of their own
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
