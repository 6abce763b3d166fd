# Messages a second that JetStream acknowledges from its file storage, each
# published with an acknowledgement asked for and at most WINDOW without one.
#   python3 jetstream.py FOLDER MESSAGES BYTES WINDOW
# Starts Debian's nats-server on a free port of loopback and ends it.
import glob
import json
import socket
import subprocess
import sys
import time


def address(folder, server):
    for _ in range(200):
        for name in glob.glob(folder + "/*.ports"):
            try:
                with open(name) as file:
                    url = json.load(file)["nats"][0]
                return url.rsplit("/", 1)[1].split(":")
            except (ValueError, KeyError, IndexError):
                pass  # it is still being written
        if server.poll() is not None:
            sys.exit("nats-server ended")
        time.sleep(0.05)
    sys.exit("nats-server does not start")


def line_of(stream):
    line = stream.readline()
    if not line or line.startswith(b"-ERR"):
        sys.exit("nats-server says " + repr(line))
    return line


def message_of(stream):
    """The next message; what else comes is passed over."""
    while True:
        line = line_of(stream)
        if line.startswith(b"MSG"):
            body = stream.read(int(line.split()[-1]) + 2)
            if b'"error"' in body:
                sys.exit("nats-server refuses: " + repr(body))
            return body


def run(peer, messages, size, window):
    stream = peer.makefile("rb")
    line_of(stream)  # INFO
    peer.sendall(b'CONNECT {"verbose":false,"pedantic":false}\r\n'
                 b"SUB inbox 1\r\n")
    config = json.dumps({"name": "S", "subjects": ["s"], "storage": "file",
                         "num_replicas": 1}).encode()
    peer.sendall(b"PUB $JS.API.STREAM.CREATE.S inbox %d\r\n%s\r\n"
                 % (len(config), config))
    message_of(stream)
    one = b"PUB s inbox %d\r\n%s\r\n" % (size, b"x" * size)
    begin = time.monotonic()
    sent = acked = 0
    while acked < messages:
        now = min(window - (sent - acked), messages - sent)
        if now > 0:
            peer.sendall(one * now)
            sent += now
        for _ in range(max(1, (sent - acked) // 2)):
            message_of(stream)
            acked += 1
    return messages / (time.monotonic() - begin)


def main():
    folder, messages, size, window = sys.argv[1], *map(int, sys.argv[2:5])
    server = subprocess.Popen(
        ["nats-server", "-a", "127.0.0.1", "-p", "-1", "-js", "-sd", folder,
         "--ports_file_dir", folder],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        host, port = address(folder, server)
        with socket.create_connection((host, int(port)), 10) as peer:
            peer.settimeout(60)
            print("%.0f" % run(peer, messages, size, window))
    finally:
        server.terminate()
        server.wait(10)


main()
