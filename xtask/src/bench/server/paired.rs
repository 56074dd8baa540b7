//! What a setting costs the server: pairs of the same server with it and without.
//!
//! Two processes of one program differ by some percent as long as they live, by where the kernel has put
//! their memory; so every pair has processes of its own, and a round has several pairs. They run one
//! after the other: a server that keeps workers must not be stopped, it would take them for stuck.

use super::contender::Contender;
use super::load::Generator;
use super::results::{Figures, Results};
use super::rows::{Load, Row};
use super::running::Server;
use super::served::{contenders, of_contender};
use crate::bench::children::turns;
use crate::bench::place::Place;
use crate::bench::program::Trouble;
use crate::failure::Failure;

/// Pairs in each round.
const PAIRS: usize = 3;

/// A row, and what its servers are asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paired {
    pub(super) row: &'static Row,
    pub(super) load: Load,
}

impl Paired {
    /// One round of it.
    pub(super) fn round(
        self,
        place: &Place,
        generator: Generator,
        round: usize,
        results: &mut Results,
    ) -> Result<(), Failure> {
        let contenders = contenders(place, self.row.application);
        for pair in 0..PAIRS {
            for index in turns(round + pair, contenders.len()) {
                let contender = contenders[index];
                if results.is_out(self.row, contender) {
                    continue;
                }
                let measured = of_contender(self.measure(place, generator, contender))?;
                results.note(self.row, contender, measured);
            }
        }
        Ok(())
    }

    fn measure(
        self,
        place: &Place,
        generator: Generator,
        contender: Contender,
    ) -> Result<Figures, Trouble> {
        let mut server = Server::start(place, self.row.application, contender)?;
        server.check(place, self.load)?;
        server.load(place, generator, self.load)
    }
}
