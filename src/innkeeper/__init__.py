"""Innkeeper: a self-hosted game server cloud, and typed clients for the APIs it answers."""

__version__ = "0.1.0"
