"""Does the engine say yes to anything that it was not made for?  A million changes of each kind of material tell."""
