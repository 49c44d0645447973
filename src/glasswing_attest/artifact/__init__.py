"""WHAT IS IT? Things on disk, and the digests that name them.

``digest`` types digests; ``hashing`` reads one file, ``walk`` finds the names in a directory, ``reading`` takes the
digests of what a walk meets, ``pool`` spreads that over workers; ``manifest`` holds what was found. ``file``,
``model``, ``dataset`` and ``source`` are the artifacts that people name.
"""
