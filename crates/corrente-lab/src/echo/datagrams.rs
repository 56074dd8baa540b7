//! The bare server for UDP: every datagram goes back to where it came from.
//!
//! One socket for all clients, so there is nothing to keep between two datagrams. What the kernel
//! does not take at once is lost, as UDP allows.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::mem::MaybeUninit;
use std::net::UdpSocket;

use rustix::event::epoll;

/// Longer than the longest datagram.
const BUFFER_BYTES: usize = 64 * 1024;

/// Serves until the process ends.
pub(super) fn run(socket: &UdpSocket) -> std::io::Result<Infallible> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let data = epoll::EventData::new_u64(0);
    epoll::add(&epoll, socket, data, epoll::EventFlags::IN)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut events = [MaybeUninit::uninit(); 1];
    loop {
        epoll::wait(&epoll, &mut events, None)?;
        loop {
            match socket.recv_from(&mut buffer) {
                Ok((length, sender)) => match socket.send_to(&buffer[..length], sender) {
                    Ok(_) => {}
                    // The sender has gone, or its socket is full.
                    Err(error) if is_of_one_client(&error) => {}
                    Err(error) => return Err(error),
                },
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if is_of_one_client(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_of_one_client(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn datagrams_go_back_to_their_senders() {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
        server.set_nonblocking(true).expect("is a socket");
        let address = server.local_addr().expect("is bound");
        // The thread serves until the test process ends.
        std::thread::spawn(move || run(&server));
        for message in [&b"first"[..], b"second"] {
            let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
            client.send_to(message, address).expect("sends");
            let mut back = [0; 16];
            let (length, sender) = client.recv_from(&mut back).expect("comes back");
            assert_eq!((&back[..length], sender), (message, address));
        }
    }
}
