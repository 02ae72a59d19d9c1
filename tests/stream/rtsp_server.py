"""A real RTSP server, GStreamer's, for the tests to read from: `/usr/bin/python3 rtsp_server.py`.

Runs under the system's Python, where Debian's bindings are. Arguments: port, size of the live
picture, a film, and, to speak TLS alone, a PEM file with certificate and key; user `admin` and password `pa:ss` are needed for `/private`. Mounts:
/live (H264, for ever), /jpeg (motion JPEG), /film (the film, with its own keyframes and B-frames).
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
JPEG = TEST + " ! jpegenc ! rtpjpegpay name=pay0"
FILM = "filesrc location={film} ! qtdemux ! h264parse config-interval=1 ! rtph264pay name=pay0"


def main():
    port, width, height, film, *certificate = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    mounts = server.get_mount_points()
    names = {"width": width, "height": height, "film": film}
    for path, launch in (("/live", H264), ("/private", H264), ("/jpeg", JPEG), ("/film", FILM)):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch("( " + launch.format(**names) + " )")
        factory.set_shared(path != "/film")
        permissions = GstRtspServer.RTSPPermissions()
        for role in ("anyone", "admin"):
            allowed = path != "/private" or role == "admin"
            permissions.add_permission_for_role(role, "media.factory.access", True)
            permissions.add_permission_for_role(role, "media.factory.construct", allowed)
        factory.set_permissions(permissions)
        mounts.add_factory(path, factory)
    auth = authority()
    for file in certificate:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(file))
    server.set_auth(auth)
    server.attach(None)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


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
