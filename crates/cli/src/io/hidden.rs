//! A line typed at the terminal that is not shown on it.
//!
//! The terminal hands over each key and sends no signals meanwhile, so that nothing ends this process while the terminal
//! does not show what is typed: Ctrl-C is a key like any other, and answered here.

use std::io::{self, BufRead};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// The longest line; what is typed beyond is not heard.
const MAX: usize = 1024;

/// What was typed.
pub(crate) enum Typed {
    /// A line, without its end.
    Line(String),
    /// Ctrl-C.
    Stopped,
    /// The end of input.
    End,
}

/// The terminal as it was, to be put back whatever happens.
struct Before(Termios);

impl Drop for Before {
    fn drop(&mut self) {
        // There is nobody to tell that the terminal is gone.
        let _gone = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
    }
}

/// Reads a line that is not shown; `ask` writes the question once nothing is shown any more.
pub(super) fn read(stdin: &mut dyn BufRead, ask: impl FnOnce()) -> io::Result<Typed> {
    let before = Before(tcgetattr(io::stdin())?);
    let mut hidden = before.0.clone();
    hidden.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
    hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(io::stdin(), OptionalActions::Drain, &hidden)?;
    ask();
    line(stdin)
}

/// A line of keys, of which some have a meaning.
fn line(keys: &mut dyn BufRead) -> io::Result<Typed> {
    let mut typed: Vec<u8> = Vec::with_capacity(MAX);
    loop {
        let mut key = [0];
        if keys.read(&mut key)? == 0 {
            return Ok(Typed::End);
        }
        match key {
            [b'\r' | b'\n'] => {
                let text = String::from_utf8(typed).map_err(|_| io::ErrorKind::InvalidData)?;
                return Ok(Typed::Line(text));
            }
            // Ctrl-C, and Ctrl-D at the begin of a line.
            [0x03] => return Ok(Typed::Stopped),
            [0x04] if typed.is_empty() => return Ok(Typed::End),
            // Backspace takes a character, of however many bytes, and Ctrl-U the line.
            [0x08 | 0x7f] => while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            [0x15] => typed.clear(),
            [byte] if typed.len() < MAX => typed.push(byte),
            [_] => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> String {
        let mut keys = keys;
        match line(&mut keys) {
            Ok(Typed::Line(line)) => line,
            Ok(Typed::Stopped) => "(stopped)".to_owned(),
            Ok(Typed::End) => "(end)".to_owned(),
            Err(error) => error.kind().to_string(),
        }
    }

    #[test]
    fn keys_are_a_line() {
        assert_eq!(typed(b"secret\n"), "secret");
        assert_eq!(typed(b"secret\r"), "secret");
        assert_eq!(typed(b"secrx\x7fet\n"), "secret");
        assert_eq!(typed("sé\x7fecret\n".as_bytes()), "secret");
        assert_eq!(typed(b"\x7f\x08wrong\x15right\n"), "right");
        assert_eq!(typed(b"half\x03\n"), "(stopped)");
        assert_eq!(typed(b"\x04"), "(end)");
        assert_eq!(typed(b"half"), "(end)");
        assert_eq!(typed(b"\n"), "");
        assert_eq!(typed(b"\xff\n"), "invalid data");
        assert_eq!(typed(&[&[b'x'; 5000][..], b"\n"].concat()).len(), MAX);
    }
}
