"""WHERE FROM? The graph of what an artifact was made from, and the walk that proves it."""
