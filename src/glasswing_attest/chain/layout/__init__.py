"""Was it made as its owner laid down? in-toto's classic layouts, over classic links."""
