from tests.model.conftest import block_rows

__all__ = ["block_rows"]
