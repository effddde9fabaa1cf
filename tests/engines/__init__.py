"""Tests of the engines: one promise, kept by all of them, and what each has beyond it."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.promise", f"{__name__}.conftest")
