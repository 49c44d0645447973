"""What lies in a file of weights?

One file a format. Each reads a header through a bounded `Reader` and gives frozen values; nothing is loaded, run or
unpickled, and nothing here opens a file. What is read of each stands in ``docs/formats.md``.
"""
