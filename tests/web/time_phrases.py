"""Questions, and the range that is meant by their words of time.

The film is ten minutes long. The stream began on Wednesday, 25 November 2026, at 8 in the morning, and
is asked about on Friday, 27 November, at 15:30: a time without a day is of that Friday.
"""

FILM = {
    # Instants.
    "What was shown at 10 seconds?": (10, 10, "What was shown?"),
    "What did you see at 10 seconds?": (10, 10, "What did you see?"),
    "What was there at 10s?": (10, 10, "What was there?"),
    "What was to be seen at second 16?": (16, 16, "What was to be seen?"),
    "What was shown at ten seconds?": (10, 10, "What was shown?"),
    "What was shown at twenty-five seconds?": (25, 25, "What was shown?"),
    "What was shown at 1.5 minutes?": (90, 90, "What was shown?"),
    "What was shown at exactly 12 seconds?": (12, 12, "What was shown?"),
    "What was shown at 1:27?": (87, 87, "What was shown?"),
    "What was shown at 0:08?": (8, 8, "What was shown?"),
    "What was there at 00:01:27?": (87, 87, "What was there?"),
    "Who was there at the 30 second mark?": (30, 30, "Who was there?"),
    "Who was there at the 30-second mark?": (30, 30, "Who was there?"),
    "What was shown at two minutes?": (120, 120, "What was shown?"),
    "What was shown at 1 minute 30 seconds?": (90, 90, "What was shown?"),
    "What was shown at 1 minute and 30 seconds?": (90, 90, "What was shown?"),
    "What was shown at 1m30s?": (90, 90, "What was shown?"),
    "What was shown at a minute and a half?": (90, 90, "What was shown?"),
    "At 20 seconds, what did you see?": (20, 20, "What did you see?"),
    "At 20 seconds what colour was the car?": (20, 20, "What colour was the car?"),
    "What colour was the car at 20 seconds?": (20, 20, "What colour was the car?"),
    "How many people were there at 1:05?": (65, 65, "How many people were there?"),
    "Was there a dog at 45 seconds?": (45, 45, "Was there a dog?"),
    "What do you see 10 seconds in?": (10, 10, "What do you see?"),
    "What do you see 10 seconds into the film?": (10, 10, "What do you see?"),
    "What do you see 2 minutes into the video?": (120, 120, "What do you see?"),
    "What did you see ten seconds ago?": (590, 590, "What did you see?"),
    "What was shown 10 seconds before the end?": (590, 590, "What was shown?"),
    "What was shown 10 seconds before the end of the film?": (590, 590, "What was shown?"),
    "What was shown 15 seconds after the start?": (15, 15, "What was shown?"),
    "What was shown at the beginning of the film?": (0, 0, "What was shown?"),
    "What was shown at the very beginning?": (0, 0, "What was shown?"),
    "Who was there at the start of the video?": (0, 0, "Who was there?"),
    "Who was there at the end of the video?": (600, 600, "Who was there?"),
    "What was shown in the middle of the film?": (300, 300, "What was shown?"),
    "So what was shown at 10 seconds, please?": (10, 10, "So what was shown, please?"),
    "Which animal is shown at 3:20 of the film?": (200, 200, "Which animal is shown?"),
    "What was shown around 20 seconds?": None,  # perhaps for so long
    "What was shown at about 20 seconds?": (17, 23, "What was shown?"),
    "What was shown around 1:00?": (57, 63, "What was shown?"),
    # What counts minutes means one of them.
    "What was shown at minute 3?": (180, 240, "What was shown?"),
    "What happened in minute 3?": (180, 240, "What happened?"),
    "What happened during minute two?": (120, 180, "What happened?"),
    "What happened in the third minute?": (120, 180, "What happened?"),
    "What happened in the 3rd minute?": (120, 180, "What happened?"),
    "What was shown in the second minute?": (60, 120, "What was shown?"),
    "What was shown in the tenth second?": (9, 10, "What was shown?"),
    "What did you see a minute ago?": (510, 570, "What did you see?"),
    "What did you see two minutes ago?": (450, 510, "What did you see?"),
    "Who was there half a minute ago?": (540, None, "Who was there?"),
    "Who was there a few minutes ago?": (240, 480, "Who was there?"),
    "Who was there a couple of minutes ago?": (420, 540, "Who was there?"),
    # The first and the last.
    "What happened in the first minute?": (0, 60, "What happened?"),
    "What happened in the first ten seconds?": (0, 10, "What happened?"),
    "What happened during the first 2 minutes and 30 seconds?": (0, 150, "What happened?"),
    "What happened within the first half minute?": (0, 30, "What happened?"),
    "What happened in the first few seconds?": (0, 4, "What happened?"),
    "In the first minute, who came?": (0, 60, "Who came?"),
    "What happened in the last minute?": (540, None, "What happened?"),
    "What happened in the last ten seconds?": (590, None, "What happened?"),
    "What happened in the past 90 seconds?": (510, None, "What happened?"),
    "What happened over the last two minutes?": (480, None, "What happened?"),
    "What happened the last two minutes?": (480, None, "What happened?"),
    "What happened in the final minute of the film?": (540, None, "What happened?"),
    "Who has been here for the last ten seconds?": (590, None, "Who has been here?"),
    "What was shown in the first half?": (0, 300, "What was shown?"),
    "What was shown in the first half of the film?": (0, 300, "What was shown?"),
    "What was shown in the second half of the video?": (300, None, "What was shown?"),
    "What was shown in the last quarter?": (450, None, "What was shown?"),
    "What was shown in the second third?": (200, 400, "What was shown?"),
    "What happened just now?": (590, None, "What happened?"),
    # Between.
    "What was shown between 5 and 10 seconds?": (5, 10, "What was shown?"),
    "What was shown between five and ten seconds?": (5, 10, "What was shown?"),
    "What was shown between 5 seconds and 10 seconds?": (5, 10, "What was shown?"),
    "What was shown between second 5 and second 10?": (5, 10, "What was shown?"),
    "What was shown between 0:10 and 0:20?": (10, 20, "What was shown?"),
    "What was shown from 0:10 to 0:20?": (10, 20, "What was shown?"),
    "What was shown from 0:10 until 0:20?": (10, 20, "What was shown?"),
    "What was shown from 5 to 10 seconds?": (5, 10, "What was shown?"),
    "What was shown from 5s to 10s?": (5, 10, "What was shown?"),
    "What was shown from minute 1 to minute 2?": (60, 120, "What was shown?"),
    "What was shown 0:10-0:20?": (10, 20, "What was shown?"),
    "What was shown 0:10 – 0:20?": (10, 20, "What was shown?"),  # noqa: RUF001
    "Between 1:00 and 2:00, how many cars came?": (60, 120, "How many cars came?"),
    "What was the difference between 10 seconds and 20 seconds?": (
        10,
        20,
        "What was the difference?",
    ),
    "What happened between 8 and 9 minutes?": (480, 540, "What happened?"),
    # Before and after.
    "What came after the first minute?": (60, None, "What was shown?"),
    "What was shown after 30 seconds?": (30, None, "What was shown?"),
    "What was shown after 0:30?": (30, None, "What was shown?"),
    "What was shown after the third minute?": (180, None, "What was shown?"),
    "What happened since 2:00?": (120, None, "What happened?"),
    "What happened since minute 2?": (120, None, "What happened?"),
    "What happened from 0:30 on?": (30, None, "What happened?"),
    "What happened from 0:30 onwards?": (30, None, "What happened?"),
    "What came before 0:30?": (None, 30, "What was shown?"),
    "What was shown before 30 seconds?": (None, 30, "What was shown?"),
    "What was shown before the 30 second mark?": (None, 30, "What was shown?"),
    "What was shown until 1:00?": (None, 60, "What was shown?"),
    "What was shown up to 1:00?": (None, 60, "What was shown?"),
    "What was shown up to the third minute?": (None, 180, "What was shown?"),
    "What happened before the last minute?": (None, 540, "What happened?"),
    # Words of time alone.
    "And at 20 seconds?": (20, 20, None),
    "At 20 seconds?": (20, 20, None),
    "What about at 0:30?": (30, 30, None),
    "And in the last minute?": (540, None, None),
    "And now at 2:00?": (120, 120, None),
    "Summarize the last minute.": (540, None, None),
    "Describe the first ten seconds.": (0, 10, None),
}

STREAM = {
    # Times of day.
    "What happened between 10:05 and 10:20?": ("Fri 10:05:00", "Fri 10:20:00", "What happened?"),
    "What happened from 10:05 to 10:20?": ("Fri 10:05:00", "Fri 10:20:00", "What happened?"),
    "What happened from 9 to 11 am?": ("Fri 09:00:00", "Fri 11:00:00", "What happened?"),
    "What happened between 1 and 2 pm?": ("Fri 13:00:00", "Fri 14:00:00", "What happened?"),
    "What happened between 11 pm and 1 am?": ("Thu 23:00:00", "Fri 01:00:00", "What happened?"),
    "Who was there at 10:05?": ("Fri 10:05:00", "Fri 10:06:00", "Who was there?"),
    "Who was there at 14:05:10?": ("Fri 14:05:10", "Fri 14:05:10", "Who was there?"),
    "Who was there at 9 am?": ("Fri 09:00:00", "Fri 09:01:00", "Who was there?"),
    "Who was there at 9am?": ("Fri 09:00:00", "Fri 09:01:00", "Who was there?"),
    "Who was there at 9 a.m.?": ("Fri 09:00:00", "Fri 09:01:00", "Who was there?"),
    "Who was there at nine am?": ("Fri 09:00:00", "Fri 09:01:00", "Who was there?"),
    "Who was there at 2:30 pm?": ("Fri 14:30:00", "Fri 14:31:00", "Who was there?"),
    "Who was there at 5 pm?": ("Thu 17:00:00", "Thu 17:01:00", "Who was there?"),
    "Who was there at 12 am?": ("Fri 00:00:00", "Fri 00:01:00", "Who was there?"),
    "Who was there at 9 o'clock?": ("Fri 09:00:00", "Fri 09:01:00", "Who was there?"),
    "Who was there at half past nine?": ("Fri 09:30:00", "Fri 09:31:00", "Who was there?"),
    "Who was there at quarter to ten?": ("Fri 09:45:00", "Fri 09:46:00", "Who was there?"),
    "Who was there at a quarter past ten?": ("Fri 10:15:00", "Fri 10:16:00", "Who was there?"),
    "Who was there at noon?": ("Fri 12:00:00", "Fri 12:01:00", "Who was there?"),
    "Who was there at midnight?": ("Fri 00:00:00", "Fri 00:01:00", "Who was there?"),
    "Who was there around noon?": ("Fri 11:55:00", "Fri 12:05:00", "Who was there?"),
    "Who was there at about 10:05?": ("Fri 10:00:00", "Fri 10:10:00", "Who was there?"),
    "Who came since 9 am?": ("Fri 09:00:00", None, "Who came?"),
    "Who came since 10:05?": ("Fri 10:05:00", None, "Who came?"),
    "Who came after 10:05?": ("Fri 10:05:00", None, "Who came?"),
    "Who came since noon?": ("Fri 12:00:00", None, "Who came?"),
    "Who came before noon?": (None, "Fri 12:00:00", "Who came?"),
    "Who came by 9 am?": (None, "Fri 09:00:00", "Who came?"),
    "Who came until 10:05?": (None, "Fri 10:05:00", "Who came?"),
    "From 9 am on, what happened?": ("Fri 09:00:00", None, "What happened?"),
    # Meals and parts of days.
    "What changed since lunch?": ("Fri 12:00:00", None, "What changed?"),
    "What happened before lunch?": (None, "Fri 12:00:00", "What happened?"),
    "What happened after lunch?": ("Fri 13:00:00", None, "What happened?"),
    "What happened during lunch?": ("Fri 12:00:00", "Fri 13:00:00", "What happened?"),
    "Who came since breakfast?": ("Fri 07:00:00", None, "Who came?"),
    "Who came after dinner?": ("Thu 19:00:00", None, "Who came?"),
    "What happened this morning?": ("Fri 06:00:00", "Fri 12:00:00", "What happened?"),
    "What happened earlier this morning?": ("Fri 06:00:00", "Fri 12:00:00", "What happened?"),
    "What happened in the morning?": ("Fri 06:00:00", "Fri 12:00:00", "What happened?"),
    "What happened this afternoon?": ("Fri 12:00:00", None, "What happened?"),
    "What happened in the evening?": ("Thu 18:00:00", "Thu 22:00:00", "What happened?"),
    "What happened during the night?": ("Thu 18:00:00", "Fri 06:00:00", "What happened?"),
    "What happened last night?": ("Thu 18:00:00", "Fri 06:00:00", "What happened?"),
    "Who came since this morning?": ("Fri 06:00:00", None, "Who came?"),
    "Who came at 10:05 this morning?": ("Fri 10:05:00", "Fri 10:06:00", "Who came?"),
    "Who came at 2:30 this afternoon?": ("Fri 14:30:00", "Fri 14:31:00", "Who came?"),
    # Days.
    "What happened yesterday?": ("Thu 00:00:00", "Fri 00:00:00", "What happened?"),
    "Yesterday, who came?": ("Thu 00:00:00", "Fri 00:00:00", "Who came?"),
    "What happened today?": ("Fri 00:00:00", None, "What happened?"),
    "What happened earlier today?": ("Fri 00:00:00", None, "What happened?"),
    "What happened the day before yesterday?": (
        "Wed 08:00:00",
        "Thu 00:00:00",
        "What happened?",
    ),
    "What happened yesterday morning?": ("Thu 06:00:00", "Thu 12:00:00", "What happened?"),
    "What happened yesterday in the afternoon?": (
        "Thu 12:00:00",
        "Thu 18:00:00",
        "What happened?",
    ),
    "What happened yesterday evening?": ("Thu 18:00:00", "Thu 22:00:00", "What happened?"),
    "Who came yesterday at 5 pm?": ("Thu 17:00:00", "Thu 17:01:00", "Who came?"),
    "Who came at 5 pm yesterday?": ("Thu 17:00:00", "Thu 17:01:00", "Who came?"),
    "Who came yesterday between 10:05 and 10:20?": ("Thu 10:05:00", "Thu 10:20:00", "Who came?"),
    "Who came from 5 to 7 pm yesterday?": ("Thu 17:00:00", "Thu 19:00:00", "Who came?"),
    "Who came since yesterday?": ("Thu 00:00:00", None, "Who came?"),
    "Who came since yesterday at 5 pm?": ("Thu 17:00:00", None, "Who came?"),
    "Who came before yesterday?": (None, "Thu 00:00:00", "Who came?"),
    "What happened between yesterday 5 pm and today 9 am?": (
        "Thu 17:00:00",
        "Fri 09:00:00",
        "What happened?",
    ),
    "Who came on Wednesday?": ("Wed 08:00:00", "Thu 00:00:00", "Who came?"),
    "Who came on Thursday at 17:30?": ("Thu 17:30:00", "Thu 17:31:00", "Who came?"),
    "Who came last Thursday?": ("Thu 00:00:00", "Fri 00:00:00", "Who came?"),
    "Who came since Thursday?": ("Thu 00:00:00", None, "Who came?"),
    "Who came on Thursday morning?": ("Thu 06:00:00", "Thu 12:00:00", "Who came?"),
    "Who came on 26 November?": ("Thu 00:00:00", "Fri 00:00:00", "Who came?"),
    "Who came on the 26th of November?": ("Thu 00:00:00", "Fri 00:00:00", "Who came?"),
    "Who came on November 26?": ("Thu 00:00:00", "Fri 00:00:00", "Who came?"),
    "Who came on Nov 26th at 17:30?": ("Thu 17:30:00", "Thu 17:31:00", "Who came?"),
    "Who came on 2026-11-26?": ("Thu 00:00:00", "Fri 00:00:00", "Who came?"),
    "Who came on November 26, 2026 at 5 pm?": ("Thu 17:00:00", "Thu 17:01:00", "Who came?"),
    "Who came this week?": ("Wed 08:00:00", None, "Who came?"),
    # Back from now.
    "What happened in the last ten minutes?": ("Fri 15:20:00", None, "What happened?"),
    "What happened in the last hour?": ("Fri 14:30:00", None, "What happened?"),
    "What happened in the last hour and a half?": ("Fri 14:00:00", None, "What happened?"),
    "What happened in the last half hour?": ("Fri 15:00:00", None, "What happened?"),
    "What happened in the past 24 hours?": ("Thu 15:30:00", None, "What happened?"),
    "Who was there ten seconds ago?": ("Fri 15:29:50", "Fri 15:29:50", "Who was there?"),
    "Who was there half an hour ago?": ("Fri 14:55:00", "Fri 15:05:00", "Who was there?"),
    "Who was there two hours ago?": ("Fri 13:25:00", "Fri 13:35:00", "Who was there?"),
    "Who was there an hour and a half ago?": ("Fri 13:55:00", "Fri 14:05:00", "Who was there?"),
    "Who came since ten minutes ago?": ("Fri 15:20:00", None, "Who came?"),
    "Who was there a day ago?": ("Thu 00:00:00", "Fri 00:00:00", "Who was there?"),
    "Who was there two days ago?": ("Wed 08:00:00", "Thu 00:00:00", "Who was there?"),
    # From the stream's own beginning.
    "What happened in the first minute?": ("Wed 08:00:00", "Wed 08:01:00", "What happened?"),
    "What happened at 10 seconds?": ("Wed 08:00:10", "Wed 08:00:10", "What happened?"),
    "What happened in the first hour of the stream?": (
        "Wed 08:00:00",
        "Wed 09:00:00",
        "What happened?",
    ),
}

NOT_ABOUT_TIME = """
What do you see?
What do you see now?
What is happening right now?
What was shown?
What came first?
What came last?
What is the first thing?
What was the last thing shown?
Who came second?
What was the second thing?
What color was the second dog?
What was shown after the dog?
What came before the second man?
What came after the three dogs?
Was there a dog before the cat?
When was the dog shown?
When did the first car come?
What time is it?
At what time did the dog come?
Is the clock showing 10:05?
Does the clock show 10:05?
Does the sign say open until 5 pm?
Does the timer read 0:30?
Is it 5 pm on the clock?
Is the text "at 10 seconds" in the picture?
How many seconds did the dog run?
How long did the dog run?
How long before the end did the dog come?
How many seconds after 10 seconds did the cat come?
How many minutes ago did the dog leave?
Are there two dogs?
Are there 10 people?
How many dogs are there?
Are there between 3 and 5 dogs?
Did it go from 3 to 5 people?
Is the car at 10 Downing Street?
Is the house at number 10?
Who is at least ten years old?
Is there a ten second countdown?
Did the dog run for ten seconds?
Does it flash every ten seconds?
Will it be over in ten seconds?
Did the runner finish in 10 seconds?
Did the runner finish in under ten seconds?
Was he faster by 10 seconds?
Wait a second, what is that?
Give me a second.
Is this the last minute goal?
What is at the end of the street?
Who stands at the end?
What is in the middle?
What is in the middle of the picture?
What is at the start of the line?
Which car is in the first row?
Who is in the last car?
Who won the first half?
Is that a second-hand shop?
Is it the first time?
Is that the last time he came?
Did the man have lunch?
What did they have for lunch?
Is the May flower in bloom?
May I see two dogs?
Is it day or night?
Is it at night?
Is it in the morning?
Was this filmed in the morning?
Was it before noon?
Does it look like a Monday?
Is there a Friday sale?
Is a person sitting on the second chair?
What happened since the dog came?
What has changed since the last visitor?
What is the score at half time?
Is there a 24 hour shop?
Is the speed 10 m/s?
Is the box 10 m away?
What is 10 m in front?
Is it 10 seconds long?
Is the film 24 seconds long?
How many hours is the shop open?
What is on the 10:30 poster?
Was the dog shown at 10 seconds or at 20 seconds?
Was it before 10 seconds or after 20 seconds?
Who wears number 10?
Are there more than 10 or fewer than 5?
Do 5 to 10 people wait?
Is one of the two men in the second picture?
""".strip().splitlines()
