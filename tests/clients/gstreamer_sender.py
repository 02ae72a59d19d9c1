"""Sends a test picture by WHIP with GStreamer's `webrtcbin`, sound and picture in one bundle.

The offer goes to the standard output and the answer comes from the standard input, each as one line
of JSON. Runs with the system's Python, which has GStreamer's bindings.
"""

import json
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 - once the versions are chosen

PIPELINE = """
    webrtcbin name=web bundle-policy=max-bundle
    audiotestsrc is-live=true ! opusenc ! rtpopuspay pt=111
      ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! web.
    videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=15/1
      ! vp8enc deadline=1 ! rtpvp8pay pt=96
      ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! web.
"""


def main():
    Gst.init(None)
    pipeline = Gst.parse_launch(PIPELINE)
    web = pipeline.get_by_name("web")
    loop = GLib.MainLoop()

    def gathered(*_):
        if web.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            offer = web.get_property("local-description").sdp.as_text()
            sys.stdout.write(json.dumps(offer) + "\n")
            sys.stdout.flush()
            _, answer = GstSdp.SDPMessage.new_from_text(json.loads(sys.stdin.readline()))
            kind = GstWebRTC.WebRTCSDPType.ANSWER
            description = GstWebRTC.WebRTCSessionDescription.new(kind, answer)
            web.emit("set-remote-description", description, Gst.Promise.new())

    def created(promise, *_):
        reply = promise.get_reply()  # holds the offer, so it must outlive it
        web.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def offer(*_):
        web.emit("create-offer", None, Gst.Promise.new_with_change_func(created, None, None))

    web.connect("on-negotiation-needed", offer)
    web.connect("notify::ice-gathering-state", lambda *_: GLib.idle_add(gathered))
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()


main()
