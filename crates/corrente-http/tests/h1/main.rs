//! HTTP/1.1 from outside: the table of raw requests, properties of the decoder, and the encoder.

mod agreement;
mod encoder;
mod observe;
mod reference;
mod repeated;
mod table;
