"""Which replica has the history of a stream."""

from collections import Counter

from web.cluster.ring import ranked

STREAMS = [f"cam-{number}" for number in range(600)]
REPLICAS = ["answerer-a-0", "answerer-b-0", "answerer-c-0"]


def owners(replicas):
    return {stream: ranked(stream, replicas)[0] for stream in STREAMS}


def test_every_host_finds_the_same_in_whatever_order_it_knows_the_replicas():
    assert owners(REPLICAS) == owners(REPLICAS[::-1])


def test_streams_are_spread_over_all():
    shares = Counter(owners(REPLICAS).values())
    assert all(140 < shares[replica] < 260 for replica in REPLICAS)


def test_when_a_replica_goes_only_its_streams_move():
    before, after = owners(REPLICAS), owners(REPLICAS[:2])
    moved = {stream for stream in STREAMS if before[stream] != after[stream]}
    assert moved == {stream for stream in STREAMS if before[stream] == REPLICAS[2]}


def test_when_a_replica_comes_streams_move_to_it_alone():
    before, after = owners(REPLICAS), owners([*REPLICAS, "answerer-d-0"])
    assert {after[s] for s in STREAMS if after[s] != before[s]} == {"answerer-d-0"}


def test_without_replicas_nobody_is_asked():
    assert ranked("door", []) == []
