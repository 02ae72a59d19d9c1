"""How long things were there and apart, compared; and times as people say them."""
