"""Networks of random weights, measured without a service, on a processor or a graphics card."""
