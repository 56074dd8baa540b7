"""Tests of the application server, from its users' side: real sockets, applications, raw bytes."""
