//! Where in its source an instruction comes from: CPython's table of locations.
//!
//! The format is that of PEP 657 since 3.11 (Objects/locations.md in CPython's source): entries of one or more
//! bytes, each for one to eight code units. Bytes in, numbers out.

/// A piece of source. Columns count bytes of UTF-8 from 0, lines from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: i32,
    pub(super) end_line: i32,
    pub(super) columns: Option<(i32, i32)>,
}

/// Reads the table.
struct Reader<'a>(std::slice::Iter<'a, u8>);

impl Reader<'_> {
    fn byte(&mut self) -> Option<i32> {
        self.0.next().map(|byte| i32::from(*byte))
    }

    /// Six bits a byte, the least first; the seventh says that there are more.
    fn number(&mut self) -> Option<i32> {
        let mut sum = 0_i32;
        for shift in (0..30).step_by(6) {
            let byte = self.byte()?;
            sum |= (byte & 63) << shift;
            if byte & 64 == 0 {
                return Some(sum);
            }
        }
        None
    }

    /// The same with its sign in the lowest bit.
    fn signed(&mut self) -> Option<i32> {
        let number = self.number()?;
        Some(if number & 1 == 1 {
            -(number >> 1)
        } else {
            number >> 1
        })
    }

    /// The rest of an entry. `None` for one without a location.
    fn entry(&mut self, kind: i32, line: &mut i32) -> Option<Option<Position>> {
        let at = |line: i32, columns| Position {
            line,
            end_line: line,
            columns,
        };
        Some(match kind {
            0..=9 => {
                let byte = self.byte()?;
                let column = kind * 8 + (byte >> 4);
                Some(at(*line, Some((column, column + (byte & 15)))))
            }
            10..=12 => {
                *line += kind - 10;
                Some(at(*line, Some((self.byte()?, self.byte()?))))
            }
            13 => {
                *line += self.signed()?;
                Some(at(*line, None))
            }
            14 => {
                *line += self.signed()?;
                let end_line = *line + self.number()?;
                let columns = (self.number()? - 1, self.number()? - 1);
                Some(Position {
                    line: *line,
                    end_line,
                    columns: (columns.0 >= 0 && columns.1 >= 0).then_some(columns),
                })
            }
            _ => None,
        })
    }
}

/// Where a code unit comes from; `None` where the table does not say.
pub(super) fn position(table: &[u8], first_line: i32, unit: usize) -> Option<Position> {
    let mut reader = Reader(table.iter());
    let mut line = first_line;
    let mut end = 0;
    loop {
        let head = reader.byte()?;
        end += (head & 7) as usize + 1;
        let found = reader.entry((head >> 3) & 15, &mut line)?;
        if unit < end {
            return found;
        }
    }
}
