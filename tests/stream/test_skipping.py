from stream.file.skipping import SkipRule


def test_nothing_is_skipped_where_few_pictures_come():
    rule = SkipRule()
    assert not rule.skips(arriving=1.0, wanted=1.0)
    assert not rule.skips(arriving=3.0, wanted=1.0)
    assert not rule.skips(arriving=0.0, wanted=1.0), "not known yet"
    assert rule.skips(arriving=25.0, wanted=1.0)


def test_nothing_is_skipped_any_more_once_too_few_were_left():
    rule = SkipRule()
    for time in (0.0, 0.3, 0.6):
        assert rule.skips(25.0, wanted=1.0)
        rule.decoded(time, wanted=1.0)
    rule.decoded(1.3, wanted=1.0)
    assert not rule.skips(25.0, wanted=1.0)
    assert rule.skips(25.0, wanted=0.5), "for fewer there are enough"
