"""The ``disvae`` command: thin, one file a verb."""
