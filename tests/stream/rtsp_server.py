"""A real RTSP server, GStreamer's, for the tests to read from: `/usr/bin/python3 rtsp_server.py`.

Runs under the system's Python, where Debian's bindings are. Arguments: port, size of the live
picture, a film, and, to speak TLS alone, a PEM file with certificate and key; user `admin` and password `pa:ss` are needed for `/private`. Mounts:
/live (H264, for ever), /jpeg (motion JPEG), /film (the film, with its own keyframes and B-frames),
/udp (like /live, but never over TCP), /resized (like /live, but twice as wide after two seconds),
and three like /live whose clock misbehaves after two seconds: /stopped, /back, /wrapped.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

TEST = (
    "videotestsrc is-live=true pattern=ball ! "
    "video/x-raw,format=I420,width={width},height={height},framerate=20/1"
)
H264 = (
    TEST
    + " ! openh264enc gop-size=20 complexity=low ! h264parse config-interval=1 ! rtph264pay name=pay0"
)
RESIZED = H264.replace("video/x-raw,", "capsfilter name=size caps=video/x-raw,")
JPEG = TEST + " ! jpegenc ! rtpjpegpay name=pay0"
FILM = "filesrc location={film} ! qtdemux ! h264parse config-interval=1 ! rtph264pay name=pay0"
RETIMED = (
    "appsrc name=retimed is-live=true format=time caps=video/x-h264,stream-format=byte-stream,"
    "alignment=au ! rtph264pay name=pay0 config-interval=1 timestamp-offset={offset}"
)
LAUNCHES = {
    "/live": H264,
    "/private": H264,
    "/jpeg": JPEG,
    "/film": FILM,
    "/udp": H264,
    "/resized": RESIZED,
}
SECOND = 1_000_000_000
GOOD_FOR = 2 * SECOND
# What the clock shows, of what it should show, once it misbehaves: nanoseconds both.
CLOCKS = {
    "/stopped": lambda time: GOOD_FOR,
    "/back": lambda time: time - GOOD_FOR,
    "/wrapped": lambda time: time,
}
AT_THE_END_OF_32_BITS = 2**32 - 90_000 * GOOD_FOR // SECOND


def main():
    port, width, height, film, *certificate = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    mounts = server.get_mount_points()
    names = {"width": width, "height": height, "film": film}
    for path, launch in LAUNCHES.items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch("( " + launch.format(**names) + " )")
        factory.set_shared(path != "/film")
        permissions = GstRtspServer.RTSPPermissions()
        for role in ("anyone", "admin"):
            allowed = path != "/private" or role == "admin"
            permissions.add_permission_for_role(role, "media.factory.access", True)
            permissions.add_permission_for_role(role, "media.factory.construct", allowed)
        factory.set_permissions(permissions)
        if path == "/udp":
            factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
        if path == "/resized":
            factory.connect("media-configure", lambda _, media: resize(media, names))
        mounts.add_factory(path, factory)
    auth = authority()
    for file in certificate:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(file))
    for path, clock in CLOCKS.items():
        mounts.add_factory(path, retimed(path, clock, names))
    server.set_auth(auth)
    server.attach(None)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


def resize(media, names):
    """Double the width after two seconds."""
    size = media.get_element().get_by_name("size")
    wide = Gst.Caps.from_string(
        TEST.partition("! ")[2].format(**{**names, "width": 2 * int(names["width"])})
    )

    def look(_pad, info):
        if info.get_buffer().pts < GOOD_FOR:
            return Gst.PadProbeReturn.OK
        GLib.idle_add(lambda: size.set_property("caps", wide))
        return Gst.PadProbeReturn.REMOVE

    size.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, look)


def retimed(path, clock, names):
    """Return a factory of H264 whose times go wrong as `clock` says."""
    factory = GstRtspServer.RTSPMediaFactory()
    offset = AT_THE_END_OF_32_BITS if path == "/wrapped" else 0
    factory.set_launch("( " + RETIMED.format(offset=offset) + " )")
    factory.connect("media-configure", lambda _, media: feed(media, clock, names))
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("anyone", "media.factory.access", True)
    permissions.add_permission_for_role("anyone", "media.factory.construct", True)
    factory.set_permissions(permissions)
    return factory


def feed(media, clock, names):
    """Encode pictures beside `media`, and give them to it with other times."""
    target = media.get_element().get_by_name("retimed")
    launch = H264.partition("rtph264pay")[0] + (
        "video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=out emit-signals=true"
    )
    encoding = Gst.parse_launch(launch.format(**names))

    def pass_on(sink):
        encoded = sink.emit("pull-sample").get_buffer()
        again = Gst.Buffer.new_wrapped(encoded.extract_dup(0, encoded.get_size()))
        time = encoded.pts
        again.pts = again.dts = time if time < GOOD_FOR else clock(time)
        target.emit("push-buffer", again)
        return Gst.FlowReturn.OK

    encoding.get_by_name("out").connect("new-sample", pass_on)
    encoding.set_state(Gst.State.PLAYING)
    media.connect("unprepared", lambda _: encoding.set_state(Gst.State.NULL))


def authority():
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    known = GstRtspServer.RTSPToken()
    known.set_string("media.factory.role", "admin")
    auth.add_digest("admin", "pa:ss", known)
    stranger = GstRtspServer.RTSPToken()
    stranger.set_string("media.factory.role", "anyone")
    auth.set_default_token(stranger)
    return auth


if __name__ == "__main__":
    main()
