"""Writes small benchmarks in their published formats."""

import json

from tests.stream.videos import write_video


def film(path, seconds=6.0, colours=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_video(path, seconds=seconds, rate=5, colours=colours)


def write(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def mvbench(folder, *, cut=False):
    """Two tasks; the films of one are cut, or not, by the layout."""
    write(folder / "json/action_sequence.json", [
        {"video": "A.mp4", "question": "What happened first?", "candidates": ["Sat.", "Ran.", "Ate."],
         "answer": "Ran.", "start": 2.0, "end": 4.0},
        {"video": "A.mp4", "question": "And then?", "candidates": ["Sat.", "Ran."], "answer": "Lay.",
         "start": 2.0, "end": 4.0},
    ])  # fmt: skip
    write(folder / "json/moving_count.json", [
        {"video": "v.mp4", "question": "How many?", "candidates": ["1", "2"], "answer": "2"}
    ])  # fmt: skip
    film(folder / f"video/star/{'Charades_segment' if cut else 'Charades_v1_480'}/A.mp4")
    film(folder / "video/clevrer/video_validation/v.mp4")
    return folder


def lvbench(folder):
    write(folder / "json/lvbench_clean.json", [
        {"video": "00000000", "type": "cartoon", "question": "Which year?",
         "candidates": ["(A) 1636", "(B) 1366"], "answer": "(B) 1366",
         "question_type": ["entity recognition", "reasoning"], "time_reference": "00:15-00:19"}
    ])  # fmt: skip
    film(folder / "videos/00000000.mp4")
    return folder


def longvideobench(folder):
    write(folder / "lvb_val.json", [
        {"video_id": "x", "id": "x_0", "question": "Who?", "candidates": ["a man", "a dog"],
         "correct_choice": 1, "question_category": "S2E", "duration": 12.0, "duration_group": 15,
         "video_path": "x.mp4", "subtitle_path": "x_en.json", "starting_timestamp_for_subtitles": 100}
    ])  # fmt: skip
    write(folder / "subtitles/x_en.json", [
        {"start": "00:01:41.500", "end": "00:01:43.000", "line": "hello there"},
        {"start": "00:03:20.000", "end": "00:03:21.000", "line": "long after the end"},
    ])  # fmt: skip
    film(folder / "videos/x.mp4")
    return folder


def charades(folder):
    write(folder / "json/temporal_grounding_charades.json", [
        {"video": "3MSZA.mp4", "caption": "person turn a light on.", "timestamp": [2.0, 4.0]},
        {"video": "3MSZA.mp4", "caption": "person turn a light on.", "timestamp": [2.0, 4.0]},
    ])  # fmt: skip
    film(folder / "Charades_v1_480/3MSZA.mp4")
    return folder


def perception_test(folder):
    write(folder / "mc_question_val.json", [
        {"video_name": "video_1", "question": "Is it moving?", "options": ["yes", "no", "hidden"],
         "answer_id": "1", "question_id": 3, "area": "physics", "reasoning": "x", "tag": ["motion"]}
    ])  # fmt: skip
    film(folder / "videos/video_1.mp4")
    return folder


def mlvu(folder):
    write(folder / "json/4_count.json", [
        {"video": "c.mp4", "duration": 6, "question": "How often?", "candidates": ["1", "2"],
         "answer": "2", "question_type": "count"}
    ])  # fmt: skip
    film(folder / "video/4_count/c.mp4")
    write(folder / "mlvu_test.json", [
        {"video_name": "t.mp4", "question": "How?\n(A) Fast\n(B) Slow\n", "answer": "B",
         "task_type": "sportsQA"}
    ])  # fmt: skip
    film(folder / "videos/t.mp4")
    return folder


def videomme(folder):
    write(folder / "videomme.json", [
        {"videoID": "abc", "question_id": "1-1", "domain": "Life", "sub_category": "Pets",
         "task_type": "Counting", "duration": "short", "question": "How many?",
         "options": ["A. One.", "B. Two.", "C. Three.", "D. Four."], "answer": "C"}
    ])  # fmt: skip
    film(folder / "data/abc.mp4")
    srt = folder / "subtitle/abc.srt"
    srt.parent.mkdir()
    srt.write_text(
        '1\n00:00:01,000 --> 00:00:02,000\n<font color="white" size=".72c">Look!</font>\n'
    )
    return folder


def vdc(folder):
    write(folder / "short.json", [
        {"video_name": "v", "caption": "A dog runs.",
         "qa_list": [{"question": "Who?", "answer": "a dog"}, {"question": "What?", "answer": "runs"}]}
    ])  # fmt: skip
    film(folder / "Test_Videos/v.mp4")
    return folder


def ovobench(folder):
    write(folder / "ovo_bench.json", [
        {"id": 1, "task": "EPM", "video": "e.mp4", "realtime": 5.0, "question": "Where was it?",
         "options": ["left", "right"], "gt": 1, "answer": "right"},
        {"id": 2, "task": "REC", "video": "r.mp4", "activity": "jump", "ask_time": 2,
         "test_info": [{"realtime": 2, "count": 0}, {"realtime": 5, "count": 12}]},
        {"id": 3, "task": "CRR", "video": "r.mp4", "question": "Who won?", "ask_time": 2,
         "clue_time": 4, "test_info": [{"realtime": 3, "type": 0}, {"realtime": 5, "type": 1}]},
    ])  # fmt: skip
    for name in ("1", "2_0", "2_1", "3_0", "3_1"):
        film(folder / f"chunked_videos/{name}.mp4", seconds=3)
    return folder


def streamingbench(folder):
    def one(time, question, answer, **more):
        return {"task_type": "Object Recognition", "question": question, "time_stamp": time,
                "answer": answer, "options": ["A. red", "B. blue", "C. green", "D. none"],
                "required_ability": "working memory", **more}  # fmt: skip

    def part(*questions):
        return {"time": "[0:00:00 - 0:00:10]", "questions": list(questions),
                "video_categories": "x", "video_path": "./videos/sample_1_real.mp4"}  # fmt: skip

    write(folder / "questions_real.json", [
        part(one("00:00:02", "Now?", "A")), part(one("00:00:05", "And now?", "B"))
    ])  # fmt: skip
    write(folder / "questions_sqa.json", [[
        part(one("00:00:02", "Now?", "A")), part(one("00:00:05", "And then?", "B"))
    ]])  # fmt: skip
    write(folder / "questions_proactive.json", [
        part({"task_type": "Proactive Output", "time_stamp": "00:00:01",
              "question": 'When it turns blue, output "blue".',
              "ground_truth_time_stamp": "00:00:03", "ground_truth_output": "blue",
              "required_ability": "working memory"})
    ])  # fmt: skip
    film(folder / "videos/sample_1_real.mp4")
    return folder
