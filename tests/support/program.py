# SPDX-License-Identifier: MIT
"""Run sonde as a user does: with a hard end, so that what hangs is a failure and not a wait."""

import ctypes
import json
import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SONDE = os.environ.get("SONDE") or str(ROOT / "build" / "sonde")

# Nothing that a test starts may take longer than this, on the slowest machine and under sanitizers.
PATIENCE = 40

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_parent():
    """For Popen's preexec_fn: a killed test run leaves no process behind."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def environment(extra=None):
    """The caller's, but in no language, on no terminal and without colours asked for or refused."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("LC_") and k not in ("LANG", "LANGUAGE", "NO_COLOR")}
    env.update(LC_ALL="C", TERM="dumb")
    env.update(extra or {})
    return env


def refuse_sanitizer(err):
    if "Sanitizer" in err or "runtime error:" in err:
        raise AssertionError("a sanitizer complains:\n" + err)


class Result:
    """What one run left: exit code, both streams as text, and how long it took."""

    def __init__(self, args, code, out, err, seconds):
        self.args, self.code, self.seconds = args, code, seconds
        self.bytes = out
        self.out = out.decode("utf-8", "surrogateescape")
        self.err = err.decode("utf-8", "surrogateescape")

    @property
    def json(self):
        return json.loads(self.bytes)

    @property
    def lines(self):
        """Of ndjson: every line is a document."""
        return [json.loads(line) for line in self.bytes.splitlines()]

    def __str__(self):
        head = f"sonde {' '.join(self.args)}\n-- exit code {self.code} after {self.seconds:.1f} s\n"
        return f"{head}{self.out}-- stderr\n{self.err}"


def start(*args, inside=(), env=None, **streams):
    """A sonde that goes on; the caller waits for it. `inside` goes before the command: a namespace, another user."""
    options = dict(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    options.update(streams)
    return subprocess.Popen([*inside, SONDE, *args], env=environment(env), preexec_fn=die_with_parent, **options)


def run(*args, inside=(), env=None, patience=PATIENCE, **streams):
    began = time.monotonic()
    with start(*args, inside=inside, env=env, **streams) as p:
        try:
            out, err = p.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
            hung = Result(args, None, out or b"", err or b"", time.monotonic() - began)
            raise AssertionError(f"hangs: {hung}") from None
    r = Result(args, p.returncode, out or b"", err or b"", time.monotonic() - began)
    refuse_sanitizer(r.err)
    return r


def read_until(stream, pattern, seconds=PATIENCE):
    """Read a pipe until what came matches; return the match and all that was read."""
    text, end = "", time.monotonic() + seconds
    while True:
        found = re.search(pattern, text)
        if found:
            return found, text
        ready, _, _ = select.select([stream], [], [], max(0, end - time.monotonic()))
        piece = os.read(stream.fileno(), 65536) if ready else b""
        if not piece:
            when = "before the end" if ready else "within the time"
            raise AssertionError(f"no {pattern!r} {when}, only: {text!r}")
        text += piece.decode("utf-8", "replace")


class Serve:
    """`sonde serve` on a free port of the loopback, until the end of the with block."""

    def __init__(self, *args, addresses=("127.0.0.1",), inside=(), host=None):
        bind = [word for a in addresses for word in ("-b", a)]
        self.process = start("serve", "-p", "0", *bind, *args, inside=inside)
        try:
            found, rest = read_until(self.process.stdout, r"(?s)serves on port (\d+).*in a browser[^\n]*\n")
        except BaseException:
            self._end(signal.SIGKILL)
            raise
        self.banner, self.port = rest, int(found[1])
        host = host or (addresses[0] if addresses else "127.0.0.1")
        self.target = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.url = "http://" + self.target
        self.address = (host, self.port)

    def _end(self, sig):
        self.process.send_signal(sig)
        try:
            _, err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise AssertionError(f"sonde serve does not end on signal {sig}") from None
        return err.decode("utf-8", "replace")

    def cpu_seconds(self):
        """What the process has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, sig=signal.SIGTERM):
        """Return the exit code; a sanitizer's complaint is a failure."""
        if self.process.returncode is None:
            refuse_sanitizer(self._end(sig))
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def one_error(result):
    """The fault of a run without its hints: exactly one line that begins with the program's name."""
    lines = result.err.splitlines()
    faults = [line for line in lines if line.startswith("sonde: ")]
    others = [line for line in lines if not line.startswith(("sonde: ", "  try: ", "  or: "))]
    if len(faults) != 1 or others or not result.err.endswith("\n"):
        raise AssertionError(f"not one fault with its hints: {result}")
    return faults[0]


def hints(result):
    return [line.split(": ", 1)[1] for line in result.err.splitlines() if line.startswith(("  try: ", "  or: "))]


def figures(flow):
    """The keys of a FLOW that hold a number."""
    return {k: v for k, v in flow.items() if v is not None and k not in ("status", "reason", "limited_by")}
