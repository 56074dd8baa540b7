//! WebSocket from outside: the handshake, frames by the classes of Autobahn's suite, compression.

mod compression;
mod frames;
mod handshake;
mod peer;
