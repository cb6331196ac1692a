# SPDX-License-Identifier: MIT
"""
A packet capture as tcpdump makes it: the kernel hands over a copy of each packet that passes the device, and says when
it passed, in nanoseconds. Both ends of a round trip come from here, by one clock.
"""
import socket
import struct

_ETH_P_ALL, _SO_RCVBUFFORCE, _SO_TIMESTAMPNS = 3, 33, 35
_ETHERNET, _ECHO_REPLY, _ECHO_REQUEST = 14, 0, 8


class Capture:
    def __init__(self, device):
        # Only who asks for all protocols is shown what leaves.
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        self.socket.bind((device, _ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def packets(self):
        """What has come since: the bytes, and nanoseconds."""
        while True:
            try:
                data, control, _, _ = self.socket.recvmsg(2048, 256)
            except BlockingIOError:
                return
            seconds, ns = struct.unpack("@ll", control[0][2][:struct.calcsize("@ll")])
            yield data, seconds * 1_000_000_000 + ns

    def round_trips(self):
        """Of the echo requests that have left since, in their order: nanoseconds, None for one without a reply."""
        asked, answered = {}, {}
        for data, at in self.packets():
            if data[12:14] != b"\x08\x00" or data[_ETHERNET + 9] != socket.IPPROTO_ICMP:
                continue
            icmp = data[_ETHERNET + (data[_ETHERNET] & 15) * 4:]
            probe = icmp[4:8]  # identifier and sequence number
            if icmp[0] == _ECHO_REQUEST:
                asked[probe] = at
            elif icmp[0] == _ECHO_REPLY:
                answered.setdefault(probe, at)
        return [answered[probe] - at if probe in answered else None for probe, at in asked.items()]
