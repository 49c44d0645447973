"""Which rows are in a dataset, however its files are cut?

`encoding` defines the bytes of a row, `tables` reads files into rows, `digests` makes one value of many rows.
"""
