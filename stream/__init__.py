"""The live loop: video in, clips out, questions answered from what was remembered."""
