"""What made-up scenes are made of: drawings, backgrounds, scenes, the clips of them, and words for them."""
