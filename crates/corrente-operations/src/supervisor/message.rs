//! What a worker says to its parent: one line each.
//!
//! Words and a text, so that a worker may be written in anything; a line that is not known is nobody's
//! fault and is ignored, as a newer worker may say more.

use std::fmt;

/// What a worker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// It takes connections.
    Ready,
    /// Its loop turns.
    Alive,
    /// It would like to be replaced, and serves until it is; why.
    Going(String),
    /// Something is not as it should be, and it serves on.
    Trouble(String),
    /// It cannot serve.
    Failed(Failure),
}

/// Why a worker cannot serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whose move it is.
    pub fault: Fault,
    /// What happened, in one line.
    pub text: String,
}

/// Whose move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The application, or how it was asked for.
    User,
    /// This machine.
    Machine,
    /// Ours.
    Bug,
}

impl Message {
    /// Reads a line; `None` where it is not known.
    pub fn read(line: &str) -> Option<Self> {
        let (word, text) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "ready" => Some(Self::Ready),
            "alive" => Some(Self::Alive),
            "going" => Some(Self::Going(text.to_owned())),
            "trouble" => Some(Self::Trouble(text.to_owned())),
            "failed" => {
                let (fault, text) = text.split_once(' ').unwrap_or((text, ""));
                let fault = match fault {
                    "user" => Fault::User,
                    "machine" => Fault::Machine,
                    _ => Fault::Bug,
                };
                let text = text.to_owned();
                Some(Self::Failed(Failure { fault, text }))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Message {
    /// As it goes over the channel, without the end of the line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one_line = |text: &str| text.replace(char::is_control, " ");
        match self {
            Self::Ready => formatter.write_str("ready"),
            Self::Alive => formatter.write_str("alive"),
            Self::Going(text) => write!(formatter, "going {}", one_line(text)),
            Self::Trouble(text) => write!(formatter, "trouble {}", one_line(text)),
            Self::Failed(Failure { fault, text }) => {
                let fault = match fault {
                    Fault::User => "user",
                    Fault::Machine => "machine",
                    Fault::Bug => "bug",
                };
                write!(formatter, "failed {fault} {}", one_line(text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let failure = |fault| {
            let text = "no module `shop`".to_owned();
            Message::Failed(Failure { fault, text })
        };
        for message in [
            Message::Ready,
            Message::Alive,
            Message::Going("served 1000 requests".to_owned()),
            Message::Trouble("no space left".to_owned()),
            failure(Fault::User),
            failure(Fault::Machine),
            failure(Fault::Bug),
        ] {
            assert_eq!(Message::read(&message.to_string()), Some(message));
        }
        assert_eq!(Message::read("sings a song"), None);
        assert_eq!(Message::read(""), None);
    }

    #[test]
    fn a_text_stays_on_its_line() {
        let message = Message::Going("one\nready\n".to_owned());
        assert_eq!(message.to_string(), "going one ready ");
    }
}
