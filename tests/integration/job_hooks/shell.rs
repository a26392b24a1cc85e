//! One bash that answers many questions: a process for each would take most of the time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use homelab_runners::runner::REPORT;
use tempfile::TempDir;

pub(super) struct Shell {
    bash: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    _directory: TempDir,
}

impl Shell {
    /// Has `report.sh` loaded, then `more`; `function` is called with each question and answers in `REPLY`.
    pub(super) fn new(more: &str, function: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("report.sh");
        std::fs::write(&script, REPORT).unwrap();
        let text = format!(
            "source \"$0\"; {more}\nwhile LC_ALL=C IFS= read -rd '' question; do {function} \"$question\"; printf '%s\\0' \"$REPLY\"; done"
        );
        let mut bash = Command::new("bash")
            .args(["-c", &text])
            .arg(script)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (questions, answers) = (bash.stdin.take().unwrap(), BufReader::new(bash.stdout.take().unwrap()));
        Self { bash, questions, answers, _directory: directory }
    }

    /// No question may have a NUL in it, and no answer has one.
    pub(super) fn ask(&mut self, question: &[u8]) -> Vec<u8> {
        self.questions.write_all(&[question, b"\0"].concat()).unwrap();
        let mut answer = Vec::new();
        self.answers.read_until(0, &mut answer).unwrap();
        assert_eq!(answer.pop(), Some(0), "bash has ended at {question:?}");
        answer
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.bash.kill().unwrap();
        self.bash.wait().unwrap();
    }
}
