import json

from benchmarks import flops
from benchmarks.command.report import benchmark_main


def price(capsys, *options):
    benchmark_main("flops", None, flops.run, flops.add_options, list(options))
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_every_network_is_priced_at_every_length(capsys):
    record = price(capsys, "--json", "--frames", "4", "100")
    assert record["models"].keys() == set(flops.ALL)
    for rows in record["models"].values():
        assert [row["frames"] for row in rows] == [4, 100]


def test_streaming_is_cheaper_than_one_pass_and_that_than_no_compression(capsys):
    record = price(capsys, "--json", "--model", "flash-7b", "--budget", "512")
    for row in record["models"]["flash-7b"]:
        ways = ("uncompressed", "one_pass", "question", "bounded")
        costs = [row[way]["multiply_adds"] for way in ways]
        assert costs == sorted(costs, reverse=True)


def test_a_saved_report_has_its_picture_beside_it(capsys, tmp_path):
    price(capsys, "--model", "lite", "--frames", "100", "1000", "--save-to", str(tmp_path))
    names = {file.suffix: file for file in tmp_path.iterdir()}
    assert names.keys() == {".md", ".json", ".png"}
    assert len({file.stem for file in names.values()}) == 1
    assert names[".png"].read_bytes().startswith(b"\x89PNG")
