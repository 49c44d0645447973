"""WHOM DO WE BELIEVE? Keys, authorities, logs and clocks, each with its name and its validity window."""
