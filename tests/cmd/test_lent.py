# SPDX-License-Identifier: MIT
"""`sonde serve` at sockets that its service manager has opened, as sd_listen_fds(3) tells."""

import json
import os
import socket
import subprocess
import sys
import time
import unittest
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import stamp
from program import PATIENCE, SONDE, die_with_parent, environment

# What systemd does between fork and exec: descriptors from 3 on, and the number of the very process.
LEND = """
import fcntl, os, sys
n = int(sys.argv[1])
high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[3:3 + n]]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
    os.close(fd)
os.environ.update(LISTEN_FDS=str(n), LISTEN_PID=str(os.getpid() + int(sys.argv[2])))
os.execv(sys.argv[3 + n], sys.argv[3 + n:])
"""


def lend(*sockets, args=(), off=0):
    fds = [s.fileno() for s in sockets]
    line = [sys.executable, "-c", LEND, str(len(fds)), str(off), *map(str, fds), SONDE, "serve", *args]
    return subprocess.Popen(line, pass_fds=fds, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=environment(), preexec_fn=die_with_parent, text=True)


def end(p):
    p.terminate()
    out, err = p.communicate(timeout=PATIENCE)
    return p.returncode, out, err


def bound(family, kind, host, port=0, listening=True):
    s = socket.socket(family, kind)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((host, port))
    if kind == socket.SOCK_STREAM and listening:
        s.listen()
    return s


def info(host, port):
    name = f"[{host}]" if ":" in host else host
    with urllib.request.urlopen(f"http://{name}:{port}/info", timeout=PATIENCE) as r:
        return json.load(r)


class Lent(unittest.TestCase):
    def test_http_and_udp_are_answered_at_the_sockets_that_were_lent(self):
        hosts = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}
        tcp = {h: bound(f, socket.SOCK_STREAM, h) for h, f in hosts.items()}
        udp = {h: bound(f, socket.SOCK_DGRAM, h) for h, f in hosts.items()}
        p = lend(*tcp.values(), *udp.values(), args=("-q", "--port", "1"))
        try:
            for host, s in tcp.items():
                self.assertEqual(info(host, s.getsockname()[1])["name"], "sonde", host)
            for host, s in udp.items():
                with stamp.Sender(s.getsockname()[:2]) as sender:
                    sender.send(stamp.probe(7))
                    self.assertEqual(stamp.read(sender.receive()).sender_seq, 7, host)
        finally:
            code, out, err = end(p)
            for s in (*tcp.values(), *udp.values()):
                s.close()
        self.assertEqual((code, out, err), (0, "", ""))

    def test_the_banner_names_the_port_that_was_lent(self):
        with bound(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1") as s:
            port = s.getsockname()[1]
            p = lend(s)
            info("127.0.0.1", port)
            self.assertIn(f"serves on port {port},", end(p)[1])

    def test_what_came_before_the_server_was_there_is_answered(self):
        with bound(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1") as s, \
                socket.create_connection(s.getsockname()) as early:
            early.settimeout(PATIENCE)
            early.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            p = lend(s, args=("-q",))
            self.assertTrue(early.recv(100).startswith(b"HTTP/1.1 204"))
            end(p)

    def test_what_was_lent_to_another_process_is_left_alone(self):
        with bound(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1") as s, \
                bound(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1") as busy:
            port = str(busy.getsockname()[1])
            p = lend(s, off=1, args=("-b", "127.0.0.1", "-p", port))
            _, err = p.communicate(timeout=PATIENCE)
            self.assertEqual(p.returncode, 2)
            self.assertIn(f"127.0.0.1:{port}", err)

    def test_a_socket_that_nobody_can_be_served_at_is_refused(self):
        near, far = socket.socketpair()
        file = open(os.devnull, "rb")
        deaf = bound(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1", listening=False)
        local = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        udp = bound(socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1")
        good = bound(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1")
        for bad in ([near], [file], [deaf], [local], [udp], [good, near], [good] * 17):
            p = lend(*bad, args=("-q",))
            _, err = p.communicate(timeout=PATIENCE)
            self.assertEqual((p.returncode, err), (2, "sonde: serve: cannot serve at the sockets of LISTEN_FDS\n"), bad)
        for s in (near, far, file, deaf, local, udp, good):
            s.close()

    def test_a_server_that_was_lent_sockets_does_not_block_on_them(self):
        with bound(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1") as s, \
                bound(socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1") as u:
            p = lend(s, u, args=("-q",))
            info("127.0.0.1", s.getsockname()[1])
            with stamp.Sender(u.getsockname()) as sender:
                sender.send(stamp.probe(1))
                sender.receive()
            began = time.monotonic()
            self.assertEqual(info("127.0.0.1", s.getsockname()[1])["name"], "sonde")
            self.assertEqual(end(p)[0], 0)
            self.assertLess(time.monotonic() - began, PATIENCE / 2)


if __name__ == "__main__":
    unittest.main()
