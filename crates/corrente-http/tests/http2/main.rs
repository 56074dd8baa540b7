//! HTTP/2 from outside: a client of h2 and raw frames, over two wires in memory.

mod client;
mod frames;
mod requests;
