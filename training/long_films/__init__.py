"""Long films that are made up: dense events, known exactly, with questions and answers about them."""
