"""Tests of ``innkeeper.transfer``."""
