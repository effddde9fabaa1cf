"""The statements of matchmaking, as steps: one module for each kind of thing. Called by the modules of this wing."""
