"""Section 2: what happens to gradients 152 layers deep."""
