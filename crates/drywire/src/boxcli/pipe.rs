//! Output into a pipe that its reader may close.

use std::io::{self, ErrorKind, Write};

/// Writes until the reader has gone, then discards: a closed pipe is no error, and the command's
/// exit code must not depend on it.
#[derive(Debug)]
pub struct Pipe<W> {
    inner: W,
    closed: bool,
}

impl<W: Write> Pipe<W> {
    /// Wraps a stream.
    pub const fn new(inner: W) -> Self {
        Self {
            inner,
            closed: false,
        }
    }

    fn tolerate<T>(&mut self, result: io::Result<T>, discarded: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(discarded)
            }
            result => result,
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let result = self.inner.write(bytes);
        self.tolerate(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let result = self.inner.flush();
        self.tolerate(result, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accepts one write.
    struct Reader(bool);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(ErrorKind::BrokenPipe.into());
            }
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_swallows_the_rest() {
        let mut pipe = Pipe::new(Reader(false));
        for _ in 0..3 {
            pipe.write_all(b"line\n").unwrap();
        }
        pipe.flush().unwrap();
        assert!(pipe.closed);
    }
}
