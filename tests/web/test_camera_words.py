"""Questions about the cameras themselves."""

import pytest

from web.camera_words import of_one_camera


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Which camera saw the dog last?", "When was the dog last seen?"),
        ("Which of my cameras has seen a red car?", "When was a red car last seen?"),
        ("On which camera is the cat now?", "When was the cat last seen?"),
        ("In which stream was the cat last seen?", "When was the cat last seen?"),
        ("Can any camera see the cat?", "When was the cat last seen?"),
        ("Is there a dog on any camera?", "Is a dog still there?"),
        ("Are there two red cars somewhere?", "Are there two red cars somewhere?"),
        ("Is there a red car now?", "Is a red car still there?"),
        ("Are there any people?", "Is any people still there?"),
        ("Who is on any camera?", "Who is?"),
        ("Has anyone seen the dog?", "When was the dog last seen?"),
        ("Hasn't anybody noticed the dog?", "When was the dog last seen?"),
    ],
)
def test_what_is_asked_of_the_cameras_is_put_to_each_as_when_it_saw_that(text, asked):
    assert of_one_camera(text) == asked


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Has anyone seen the dog today?", "Have you seen the dog today?"),
        ("Hasn't anyone seen the dog today?", "Have you seen the dog today?"),
        ("has nobody ever seen the dog on a Sunday?", "have you ever seen the dog on a Sunday?"),
        ("Does anybody see a red car?", "Do you see a red car?"),
        ("Hasn\u2019t anyone seen the dog today?", "Have you seen the dog today?"),
        ("Can't anyone see the dog?", "Can you see the dog?"),
        ("Can anyone see the dog?", "Can you see the dog?"),
        ("Do you know whether anyone has seen the dog?", "Do you know whether you have seen the dog?"),
    ],
)  # fmt: skip
def test_who_is_asked_whether_they_have_seen_something_is_not_looked_for(text, asked):
    assert of_one_camera(text) == asked


@pytest.mark.parametrize(
    "text", ["Was anyone seen with the dog?", "Has anyone been seen?", "Did you see anyone?"]
)
def test_somebody_who_was_seen_is_looked_for(text):
    assert of_one_camera(text) == text


@pytest.mark.parametrize(
    "text",
    ["Which camera is broken?", "Which camera has seen the most dogs?", "Where is the dog?", "Has anyone come?", "Where is a camera?"],
)  # fmt: skip
def test_what_asks_for_something_else_stays_as_it_is(text):
    assert of_one_camera(text) == text
