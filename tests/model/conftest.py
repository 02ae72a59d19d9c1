import pytest

from model.language import kv_cache


@pytest.fixture(scope="module", params=[(3, 11), None], ids=["small_blocks", "blocks"])
def block_rows(request):
    """Run a test once more with caches in blocks so small that it crosses many borders."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param is not None:
            patch.setattr(kv_cache, "_FIRST", request.param[0])
            patch.setattr(kv_cache, "_LARGEST", request.param[1])
        yield
