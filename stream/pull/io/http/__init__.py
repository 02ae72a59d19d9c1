"""A source over HTTP: guarded connections, files, playlists, motion JPEG, pictures one by one."""
