"""WHERE IS THE PRIVATE KEY? One file for each kind of place, all behind `registry`."""
