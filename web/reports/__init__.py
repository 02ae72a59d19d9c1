"""How streams, times, summaries and watches read on the wire, whichever way they are asked for."""
