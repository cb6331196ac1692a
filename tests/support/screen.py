# SPDX-License-Identifier: MIT
"""
A terminal as its user sees it: a pseudo-terminal, a shell that starts one job on it, stops it and goes on with it, and
a screen that obeys what a program writes. A sequence that the screen does not know is a failure.
"""

import codecs
import errno
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

from program import PATIENCE, SONDE, die_with_parent, environment


class Screen:
    """Lines of characters, a cursor, and what scrolled away at the top. Every character is one cell wide."""

    SEQUENCE = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])")

    def __init__(self, columns=80, rows=24):
        self.columns, self.rows = columns, rows
        self.grid = [[]]
        self.gone = []
        self.x = self.y = 0
        self.cursor = self.wraps = True
        self.bold = self.red = self.cyan = False
        self.styles = set()
        self.frames = 0
        self.rest = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, piece):
        text, self.rest = self.rest + self.decoder.decode(piece), ""
        while text:
            found = self.SEQUENCE.match(text)
            if found:
                self.obey(*found.groups())
                text = text[found.end():]
            elif text[0] == "\x1b" and re.fullmatch(r"\x1b(\[[?0-9;]*)?", text):
                self.rest, text = text, ""
            else:
                self.put(text[0])
                text = text[1:]

    def put(self, c):
        if c == "\r":
            self.x = 0
        elif c == "\n":
            self.down()
        else:
            assert c >= " " and not "\x7f" <= c <= "\x9f", f"a control character reaches the terminal: {c!r}"
            if self.x == self.columns and self.wraps:
                self.x = 0
                self.down()
            self.x = min(self.x, self.columns - 1)
            line = self.grid[self.y]
            line.extend(" " * (self.x + 1 - len(line)))
            line[self.x] = c
            self.x += 1
            self.styles |= {("bold", self.bold), ("red", self.red), ("cyan", self.cyan)}

    def down(self):
        self.y += 1
        if self.y == len(self.grid):
            self.grid.append([])
        if self.y == self.rows:
            self.gone.append(self.grid.pop(0))
            self.y -= 1

    def obey(self, private, numbers, what):
        n = [int(i or 0) for i in numbers.split(";")]
        if private:
            assert what in "hl" and n[0] in (7, 25), (private, numbers, what)
            if n[0] == 25:
                self.cursor = what == "h"
            else:
                # A frame is whole when its lines may wrap again.
                self.frames += what == "h" and not self.wraps
                self.wraps = what == "h"
        elif what == "A":
            self.y = max(0, self.y - max(1, n[0]))
        elif what == "H" and numbers == "":
            self.x = self.y = 0
        elif what == "K" and numbers == "":
            # A full line would lose its last character here: the cursor still stands on it.
            del self.grid[self.y][min(self.x, self.columns - 1):]
        elif what == "J" and numbers == "":
            del self.grid[self.y][self.x:]
            del self.grid[self.y + 1:]
        elif what == "m":
            assert n[0] in (0, 1, 31, 36), numbers
            self.bold, self.red, self.cyan = (n[0] == i for i in (1, 31, 36))
        else:
            raise AssertionError(f"unknown to this screen: {private}{numbers}{what}")

    def resize(self, columns, rows, reflow=True):
        """
        As terminals do that break the lines anew: nothing is lost, and the cursor stays with its character, but nothing is
        where it was. Or as those do that cut off what has no room.
        """
        lines = []
        for y, line in enumerate(self.grid):
            pieces = [line[i:i + columns] for i in range(0, max(1, len(line)), columns)] if reflow else [line[:columns]]
            if y == self.y:
                at, x = divmod(self.x, columns) if reflow else (0, self.x)
                self.x = x if at < len(pieces) else columns
                at = len(lines) + min(at, len(pieces) - 1)
            lines += pieces
        self.columns, self.rows, self.grid, self.y = columns, rows, lines, at
        while len(self.grid) > rows:
            self.gone.append(self.grid.pop(0))
            self.y = max(0, self.y - 1)
        self.x = min(self.x, columns - 1)

    @property
    def lines(self):
        return ["".join(line).rstrip() for line in self.grid]

    @property
    def text(self):
        return "\n".join(self.lines)


def set_size(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal:
    """
    A job on a terminal of its own, with a shell (this file as a program) that does what it is told. Without `shell` the
    job has no controlling terminal at all. `above` stands on the screen before it. What has a stream of its own in
    `streams` is not on the terminal.
    """

    def __init__(self, *args, columns=80, rows=24, env=None, stdin=None, shell=True, foreground=True,
            above=b"", inside=(), **streams):
        self.screen, self.bytes, self.began = Screen(columns, rows), b"", time.monotonic()
        self.screen.feed(above)
        self.master, self.slave = os.openpty()
        set_size(self.master, columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.code = None
        env = environment({"TERM": "xterm", "LC_ALL": "C.UTF-8", **(env or {})})
        streams = dict(stdin=self.slave if stdin is None else stdin, stdout=self.slave, stderr=self.slave) | streams
        command = [*inside, SONDE, *args]
        if shell:
            ours, theirs = os.pipe(), os.pipe()
            command = [sys.executable, __file__, str(ours[0]), str(theirs[1]), str(self.slave), *command]
            self.orders, self.answers = os.fdopen(ours[1], "w", buffering=1), os.fdopen(theirs[0])
            streams["pass_fds"] = ours[0], theirs[1], self.slave
        self.process = subprocess.Popen(command, env=env, start_new_session=True, preexec_fn=die_with_parent, **streams)
        self.job = self.process.pid
        if shell:
            os.close(ours[0])
            os.close(theirs[1])
            self.job = int(self.order("start", foreground))

    def order(self, word, *more):
        """The shell's answer; what the job writes meanwhile reaches the screen."""
        print(word, *more, file=self.orders)
        return self.answer()

    def answer(self, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while not select.select([self.answers], [], [], 0)[0]:
            assert time.monotonic() < end, f"the job goes on: {self}"
            self.read(0.02)
        return self.answers.readline().strip()

    def read(self, seconds):
        """What is there, or comes within this time. Return: something."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            piece = os.read(self.master, 65536)
        except OSError as e:
            assert e.errno == errno.EIO, e
            return False
        self.bytes += piece
        self.screen.feed(piece)
        return bool(piece)

    def drain(self, seconds=0.0):
        """Read for so long, and then as long as there is more."""
        end = time.monotonic() + seconds
        while self.read(max(0.0, end - time.monotonic())) or time.monotonic() < end:
            pass

    def until(self, test, seconds=PATIENCE):
        """Wait for the screen to be so; a pattern is looked for in its text."""
        if isinstance(test, str):
            pattern, test = test, lambda screen: re.search(pattern, screen.text)
        end = time.monotonic() + seconds
        while not (found := test(self.screen)):
            assert time.monotonic() < end, f"this never comes: {self}"
            self.read(0.05)
        return found

    def press(self, keys):
        os.write(self.master, keys.encode())

    def kill(self, sig):
        os.kill(self.job, sig)

    def resize(self, columns, rows, reflow=True):
        self.drain()
        self.screen.resize(columns, rows, reflow)
        set_size(self.master, columns, rows)

    def mode(self):
        return termios.tcgetattr(self.slave)

    def wait(self):
        """Until the job stops or ends. Return: `exit 0`, `signal 15`, `stop 20`; all that it wrote is on the screen."""
        said = self.order("wait") if hasattr(self, "orders") else f"exit {self.end()}"
        self.drain()
        return said

    def end(self):
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, f"the job goes on: {self}"
            self.read(0.02)
        return self.process.returncode

    def state(self):
        """As ps(1) has it: R, S, T for stopped."""
        return self.stat()[0]

    def cpu_seconds(self):
        fields = self.stat()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stat(self):
        with open(f"/proc/{self.job}/stat") as f:
            return f.read().rpartition(")")[2].split()

    def __str__(self):
        return f"after {time.monotonic() - self.began:.1f} s\n{self.screen.text}\n-- as bytes: {self.bytes[-2000:]!r}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.kill(self.job, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if hasattr(self, "orders"):
            self.orders.close()
            self.answers.close()
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def shell(orders, answers, tty, *command):
    """The session's leader, which must not be stopped when it takes the terminal back."""
    for sig in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(sig, signal.SIG_IGN)
    fcntl.ioctl(tty, termios.TIOCSCTTY, 0)
    job = 0
    for line in orders:
        words = line.split()
        answer = "done"
        if words[0] == "start":
            # A job that is to be in the foreground waits until it is there.
            ready, go = os.pipe()
            job = os.fork()
            if job == 0:
                os.setpgid(0, 0)
                os.close(go)
                os.read(ready, 1)
                for sig in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP, signal.SIGINT, signal.SIGQUIT,
                        signal.SIGPIPE):
                    signal.signal(sig, signal.SIG_DFL)
                die_with_parent()
                os.closerange(3, 256)
                os.execvp(command[0], command)
            try:
                os.setpgid(job, job)
            except OSError:
                pass
            if words[1] == "True":
                os.tcsetpgrp(tty, job)
            os.close(go)
            os.close(ready)
            answer = str(job)
        elif words[0] == "wait":
            _, status = os.waitpid(job, os.WUNTRACED)
            if os.WIFSTOPPED(status):
                answer = f"stop {os.WSTOPSIG(status)}"
            elif os.WIFSIGNALED(status):
                answer = f"signal {os.WTERMSIG(status)}"
            else:
                answer = f"exit {os.WEXITSTATUS(status)}"
        elif words[0] == "take":
            os.tcsetpgrp(tty, os.getpgrp())
        elif words[0] == "give":
            os.tcsetpgrp(tty, job)
        elif words[0] == "continue":
            os.killpg(job, signal.SIGCONT)
        print(answer, file=answers, flush=True)


if __name__ == "__main__":
    with os.fdopen(int(sys.argv[1])) as first, os.fdopen(int(sys.argv[2]), "w") as second:
        shell(first, second, int(sys.argv[3]), *sys.argv[4:])
