"""Requests by HTTP/2, one after another, for `checking.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events
import h2.exceptions

if TYPE_CHECKING:
    import socket


class Client:
    """A connection that speaks HTTP/2 from its first byte."""

    def __init__(self, stream: socket.socket) -> None:
        """Begin."""
        self.stream = stream
        self.protocol = h2.connection.H2Connection(h2.config.H2Configuration())
        self.protocol.initiate_connection()

    def request(self, path: str) -> tuple[int, bytes]:
        """Ask for a path; give the status and the body."""
        number = self.protocol.get_next_available_stream_id()
        fields = {":method": "GET", ":path": path, ":scheme": "http", ":authority": "127.0.0.1"}
        self.protocol.send_headers(number, list(fields.items()), end_stream=True)
        status, body = 0, b""
        while True:
            self.stream.sendall(self.protocol.data_to_send())
            received = self.stream.recv(65_536)
            if not received:
                raise ConnectionError("the server has closed the connection")
            try:
                events = self.protocol.receive_data(received)
            except h2.exceptions.ProtocolError as error:
                raise ValueError(f"{type(error).__name__}: {error}") from error
            for event in events:
                if isinstance(event, h2.events.ResponseReceived):
                    status = int(dict(event.headers)[b":status"])
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data
                    self.protocol.acknowledge_received_data(event.flow_controlled_length, number)
                elif isinstance(event, h2.events.StreamReset):
                    raise ConnectionError("the server has reset the request")
                elif isinstance(event, h2.events.StreamEnded):
                    return status, body
