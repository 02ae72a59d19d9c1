"""Ways to leave without a word, for tests."""

import socket


def fall_silent(connection):
    """Let nothing that `connection` sends get through any more, as if its process were killed."""
    for transceiver in connection.getTransceivers():
        ice = transceiver.receiver.transport.transport.iceGatherer._connection
        for protocol in ice._protocols:
            protocol.transport.sendto = lambda *_: None


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("0.0.0.0", 0))
        return probe.getsockname()[1]
