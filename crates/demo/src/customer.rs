//! The demo's customer: a page to write in and, beside it, the real program on a virtual display.
//!
//! If this computer lacks what the program needs, the page alone stands in for it: it counts as the
//! presenter and shares nothing.

use std::{
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use wire::ConfText;

use super::{
    customer_program::Program,
    demo_console::{DemoConsole, StepResult},
    display::Display,
    narrator::MissedStep,
};
use crate::browser_page::{Page, PageRole};

/// A customer who is present.
pub struct Customer {
    /// The page for the chat, which the program doesn't have.
    pub page: Page,
    computer: Option<Computer>,
}

/// A customer's computer, whether the customer is present or not. Its programs end with the demo,
/// unless the demo is killed outright.
pub struct Computer {
    /// Each customer has a display of their own: on a shared one, input in one session would show
    /// in another. A display starts in a fraction of a second, and no two run at once.
    display: Display,
    program: PathBuf,
    /// Given out once for a session, and valid for each start of its program.
    conf: PathBuf,
    running: Option<Program>,
}

impl DemoConsole {
    /// The computer of a session's customer; none if the page has to stand in.
    pub async fn computer(&self, session: &str) -> StepResult<Option<Computer>> {
        let Ok(program) = self.program() else { return Ok(None) };
        let display = self.within("a virtual display", Display::start()).await?;
        let conf = self.folder().join(format!("{session}.conf"));
        write_private(&conf, &self.conf(session).await?)
            .map_err(|error| missed(format!("write its configuration: {error}")))?;
        let program = program.to_owned();
        Ok(Some(Computer { display, program, conf, running: None }))
    }

    /// The customer arrives: the page is loaded, and the program started if there is a computer.
    pub async fn arrive(
        &self,
        session: &str,
        name: &str,
        mut computer: Option<Computer>,
    ) -> StepResult<Customer> {
        let side = if computer.is_some() { PageRole::Companion } else { PageRole::Presenter };
        let page = self.page(session, side, name).await?;
        if let Some(computer) = &mut computer {
            computer.share(name).map_err(missed)?;
        }
        Ok(Customer { page, computer })
    }
}

impl Customer {
    /// Closes the page and ends the program; the computer stays.
    pub async fn leave(self) -> Option<Computer> {
        self.page.close().await;
        let mut computer = self.computer?;
        if let Some(program) = computer.running.take() {
            program.kill().await;
        }
        Some(computer)
    }

    /// The customer leaves, and the computer is turned off.
    pub async fn end(self) {
        if let Some(computer) = self.leave().await {
            computer.display.end().await;
        }
    }

    /// Waits for something that needs the program; fails as soon as the program ends.
    pub async fn with_program<T>(
        &mut self,
        wait: impl Future<Output = StepResult<T>>,
    ) -> StepResult<T> {
        match self.computer.as_mut().and_then(|computer| computer.running.as_mut()) {
            Some(program) => program.while_it_runs(wait).await,
            None => wait.await,
        }
    }

    /// Whether the screen has a terminal that takes keys.
    pub fn has_terminal(&self) -> bool {
        self.computer.as_ref().is_some_and(|computer| computer.display.terminal)
    }
}

impl Computer {
    /// Starts the program, with a configuration by which nobody sits at its computer.
    fn share(&mut self, name: &str) -> Result<(), String> {
        let mut program = tokio::process::Command::new(&self.program);
        program.arg("--conf").arg(&self.conf).args(["--yes", "--no-clipboard", "--name", name]);
        program.args(["--display", &self.display.name]);
        // The broker is on this computer, where a proxy would look for it on its own.
        program.env("no_proxy", "*");
        self.running = Some(Program::start(program).map_err(|error| format!("start it: {error}"))?);
        Ok(())
    }
}

fn missed(why: String) -> MissedStep {
    MissedStep { what: "the customer's program".into(), why }
}

fn write_private(file: &Path, conf: &ConfText) -> std::io::Result<()> {
    let mut open = std::fs::OpenOptions::new();
    let mut file = open.write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(conf.expose().as_bytes())
}
