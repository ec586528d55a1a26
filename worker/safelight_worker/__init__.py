"""A GPU worker that speaks the Safelight worker protocol."""

__version__ = "0.1.0"
