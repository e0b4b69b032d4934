//! The customer's program while it runs, and its last line of output, which is the reason for a
//! missed step.

use std::{io, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};

use super::{demo_console::StepResult, narrator::MissedStep};

/// A running customer's program. It ends with its handle.
pub struct Program {
    child: Child,
    /// Its standard error, which has all its output, and never a PIN.
    says: Lines<BufReader<ChildStderr>>,
    last: String,
}

impl Program {
    pub fn start(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn()?;
        let says = child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, says: BufReader::new(says).lines(), last: String::new() })
    }

    /// Waits for something that can't happen without the program.
    pub async fn while_it_runs<T>(
        &mut self,
        wait: impl Future<Output = StepResult<T>>,
    ) -> StepResult<T> {
        let ended = async {
            // A program that has closed its output but still runs is waited for as well.
            while let Ok(Some(line)) = self.says.next_line().await {
                self.last = line;
            }
            let _ = self.child.wait().await;
        };
        let missed = tokio::select! {
            biased;
            told = wait => match told {
                Ok(told) => return Ok(told),
                Err(missed) => missed,
            },
            () = ended => MissedStep { what: "the customer's program running".into(), why: "It ended.".into() },
        };
        let said = match self.last.as_str() {
            "" => "The customer's program said nothing.".to_owned(),
            last => format!("The customer's program said last: {last}"),
        };
        Err(MissedStep { why: format!("{} {said}", missed.why), ..missed })
    }

    /// Ends it at once.
    pub async fn kill(mut self) {
        let _ = self.child.kill().await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn a_program_that_ends_is_not_waited_for_and_its_reason_is_told() {
        let mut program = says("echo First.>&2; echo The display is gone.>&2");
        let missed = program.while_it_runs(pending::<StepResult>()).await.unwrap_err();
        assert_eq!(missed.what, "the customer's program running");
        assert_eq!(missed.why, "It ended. The customer's program said last: The display is gone.");
        let missed = says("true").while_it_runs(pending::<StepResult>()).await.unwrap_err();
        assert_eq!(missed.why, "It ended. The customer's program said nothing.");
    }

    #[tokio::test]
    async fn what_is_seen_counts_whatever_the_program_does() {
        let mut program = says("sleep 60");
        assert_eq!(program.while_it_runs(ready(Ok(7))).await.unwrap(), 7);
        let missed = MissedStep { what: "a step".into(), why: "It was waited for 1 s.".into() };
        let missed = program.while_it_runs(ready(Err::<(), _>(missed))).await.unwrap_err();
        assert_eq!(missed.what, "a step");
        assert_eq!(missed.why, "It was waited for 1 s. The customer's program said nothing.");
        program.kill().await;
    }

    fn says(script: &str) -> Program {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Program::start(command).unwrap()
    }
}
