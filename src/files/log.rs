//! A file that lines are added to, and that does not grow without end: what is full becomes `NAME.1`, in the place of the one before.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::FileError;

/// A log of lines.
#[derive(Debug, Clone)]
pub struct Log {
    path: PathBuf,
    most: u64,
}

impl Log {
    /// In the file at `path`, which holds at most so many bytes; the full one beside it as many again.
    #[must_use]
    pub fn new(path: PathBuf, most: u64) -> Self {
        Self { path, most }
    }

    /// Adds `line`, its end included; it is on the disk when this returns.
    ///
    /// # Errors
    /// What failed, with the path.
    pub fn add(&self, line: &str) -> Result<(), FileError> {
        super::make_directory(self.path.parent().unwrap_or(Path::new("/")), 0o755)?;
        let attempt = || -> io::Result<()> {
            let mut file = self.open()?;
            let length = file.metadata()?.len();
            if length > 0 && length + line.len() as u64 > self.most {
                fs::rename(&self.path, self.full())?;
                file = self.open()?;
            }
            // One write, so that another process adds its own before or behind it. A power cut may have left half of one.
            let begin = if ends_amid_a_line(&mut file)? { "\n" } else { "" };
            file.write_all(format!("{begin}{line}").as_bytes())?;
            file.sync_data()
        };
        attempt().map_err(|source| FileError::new("write", &self.path, source))
    }

    /// All that is there, oldest first; what is no text is shown as such.
    ///
    /// # Errors
    /// What failed, with the path.
    pub fn read(&self) -> Result<String, FileError> {
        let mut text = String::new();
        for path in [&self.full(), &self.path] {
            match fs::read(path) {
                Ok(bytes) => text.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(FileError::new("read", path, source)),
            }
        }
        Ok(text)
    }

    /// Reads it from the beginning, and then what comes.
    #[must_use]
    pub fn follow(&self) -> Follower {
        Follower { log: self.clone(), file: None, half: Vec::new() }
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).read(true).mode(0o644).open(&self.path)
    }

    fn full(&self) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(".1");
        name.into()
    }
}

/// Somebody who reads a [`Log`] while it is written.
#[derive(Debug)]
pub struct Follower {
    log: Log,
    /// What is read now; `None` before the first line of all.
    file: Option<File>,
    /// A line whose end was not there yet.
    half: Vec<u8>,
}

impl Follower {
    /// The lines that are there and were not told before, oldest first. Nothing is lost unless the log is filled twice between two calls.
    ///
    /// # Errors
    /// What failed, with the path.
    pub fn news(&mut self) -> Result<String, FileError> {
        let mut news = if self.file.is_none() { self.of_full()? } else { Vec::new() };
        let path = self.log.path.clone();
        self.read_on(&mut news).map_err(|source| FileError::new("read", &path, source))?;
        let end = news.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
        self.half = news.split_off(end);
        Ok(String::from_utf8_lossy(&news).into_owned())
    }

    fn of_full(&self) -> Result<Vec<u8>, FileError> {
        let full = self.log.full();
        match fs::read(&full) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            result => result.map_err(|source| FileError::new("read", &full, source)),
        }
    }

    fn read_on(&mut self, news: &mut Vec<u8>) -> io::Result<()> {
        news.append(&mut self.half);
        // Asked for before the old one is read: once it has its other name nothing is added to it.
        let now = match File::open(&self.log.path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if let Some(file) = &mut self.file {
            file.read_to_end(news)?;
        }
        let Some(mut now) = now else { return Ok(()) };
        if self.file.as_ref().map(is_which).transpose()? != Some(is_which(&now)?) {
            now.read_to_end(news)?;
            self.file = Some(now);
        }
        Ok(())
    }
}

/// Which file of the host it is.
fn is_which(file: &File) -> io::Result<(u64, u64)> {
    let found = file.metadata()?;
    Ok((found.dev(), found.ino()))
}

fn ends_amid_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_newest_lines_are_kept_within_twice_the_bound() {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::new(directory.path().join("state/events"), 1000);
        assert_eq!(log.read().unwrap(), "");
        for number in 0..1000 {
            log.add(&format!("line {number}\n")).unwrap();
        }
        let text = log.read().unwrap();
        assert!(text.len() <= 2000 && text.len() >= 1000, "{}", text.len());
        let lines: Vec<&str> = text.lines().collect();
        let first: usize = lines.first().unwrap().strip_prefix("line ").unwrap().parse().unwrap();
        let expected: Vec<String> = (first..1000).map(|number| format!("line {number}")).collect();
        assert_eq!(lines, expected);
        assert_eq!(fs::read_dir(directory.path().join("state")).unwrap().count(), 2);
    }

    #[test]
    fn a_follower_hears_each_line_once_however_often_the_log_is_full() {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::new(directory.path().join("events"), 1000);
        let mut follower = log.follow();
        assert_eq!(follower.news().unwrap(), "");
        let (mut heard, mut written) = (String::new(), String::new());
        for number in 0..500 {
            let line = format!("line {number}\n");
            log.add(&line).unwrap();
            written.push_str(&line);
            if number % 7 == 0 {
                heard.push_str(&follower.news().unwrap());
            }
        }
        heard.push_str(&follower.news().unwrap());
        assert_eq!(heard, written);
        assert_eq!(log.follow().news().unwrap(), log.read().unwrap());
    }

    #[test]
    fn half_a_line_is_told_when_it_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events");
        let mut follower = Log::new(path.clone(), 1000).follow();
        let add = |bytes: &[u8]| {
            OpenOptions::new().create(true).append(true).open(&path).unwrap().write_all(bytes).unwrap();
        };
        add(b"whole\nh\xc3");
        assert_eq!(follower.news().unwrap(), "whole\n");
        add(b"\xa4lf\n");
        assert_eq!(follower.news().unwrap(), "h\u{e4}lf\n");
    }

    #[test]
    fn what_a_power_cut_left_of_a_line_takes_no_other_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::new(directory.path().join("events"), 1000);
        fs::write(directory.path().join("events"), b"whole\nha\xff").unwrap();
        log.add("next\n").unwrap();
        assert_eq!(log.read().unwrap(), "whole\nha\u{fffd}\nnext\n");
    }
}
