"""WHAT IS IT? Things on disk, and the digests that name them.

``digest`` types digests, ``hashing`` reads one file, ``tree`` walks a directory, ``manifest`` holds what was found;
``file``, ``model``, ``dataset`` and ``source`` are the artifacts that people name.
"""
