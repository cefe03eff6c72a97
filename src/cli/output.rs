//! What goes to stdout and what to stderr.
//!
//! Stdout carries answers: tables and pages for people, or JSON for programs. Everything else goes to stderr. An answer
//! whose reader has gone away is no failure; the error is carried up as it is and [`super::exit`] knows it.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use anstyle::Style;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Serialize;

/// For whom the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Tables and sentences.
    Human,
    /// JSON.
    Json,
}

/// How much is said besides the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Warnings and errors only.
    Quiet,
    /// What a person at the terminal wants to know.
    Normal,
    /// What was done, step by step.
    Verbose,
    /// What was decided, and why.
    Debug,
}

/// When output carries colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal that wants them.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl From<Colour> for anstream::ColorChoice {
    fn from(colour: Colour) -> Self {
        match colour {
            Colour::Auto => anstream::ColorChoice::Auto,
            Colour::Always => anstream::ColorChoice::Always,
            Colour::Never => anstream::ColorChoice::Never,
        }
    }
}

/// Where answers and remarks go.
pub struct Output {
    /// For whom the answer is written.
    pub form: Form,
    /// How much is said besides.
    pub verbosity: Verbosity,
    /// How the first line of a table looks.
    heading: Style,
    answers: Mutex<Box<dyn Write + Send>>,
    remarks: Mutex<Box<dyn Write + Send>>,
}

impl Output {
    /// Answers to stdout, remarks to stderr.
    pub fn of_process(form: Form, verbosity: Verbosity, colour: Colour) -> Self {
        let remarks = anstream::AutoStream::new(io::stderr(), colour.into());
        // Answers can be pictures and workbooks: nothing may be taken out of them on the way.
        let mut output = Output::new(form, verbosity, Box::new(io::stdout()), Box::new(remarks));
        let wanted = match colour.into() {
            anstream::ColorChoice::Auto => anstream::AutoStream::choice(&io::stdout()),
            chosen => chosen,
        };
        if wanted == anstream::ColorChoice::Never {
            output.heading = Style::new();
        }
        output
    }

    /// Answers and remarks to these writers.
    pub fn new(
        form: Form,
        verbosity: Verbosity,
        answers: Box<dyn Write + Send>,
        remarks: Box<dyn Write + Send>,
    ) -> Self {
        let heading = Style::new().bold();
        Output { form, verbosity, heading, answers: Mutex::new(answers), remarks: Mutex::new(remarks) }
    }

    /// Whether the answer is JSON.
    pub fn is_json(&self) -> bool {
        self.form == Form::Json
    }

    /// Whether a progress bar may be shown: somebody watches stderr, and nobody asked for silence or JSON.
    pub fn shows_progress(&self) -> bool {
        self.form == Form::Human && self.verbosity >= Verbosity::Normal && io::stderr().is_terminal()
    }

    /// Answers with one JSON value on a line of its own.
    ///
    /// # Errors
    /// What the stream says.
    pub fn json(&self, value: &impl Serialize) -> io::Result<()> {
        // Into a buffer first: a reader must never see half a value because a record could not be written.
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.bytes(&line)
    }

    /// Answers with text; a final line end is added when it is missing, control characters are left out.
    ///
    /// # Errors
    /// What the stream says.
    pub fn text(&self, text: &str) -> io::Result<()> {
        let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
        self.bytes(format!("{}{end}", harmless(text)).as_bytes())
    }

    /// Answers with bytes as they are.
    ///
    /// # Errors
    /// What the stream says.
    pub fn bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.write_all(bytes)?;
        answers.flush()
    }

    /// Answers with a table; without rows nothing is printed but a remark.
    ///
    /// # Errors
    /// What the stream says.
    pub fn table<const N: usize>(&self, header: [&str; N], rows: Vec<[String; N]>) -> io::Result<()> {
        if rows.is_empty() {
            self.remark("nothing found");
            return Ok(());
        }
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(header);
        for row in rows {
            table.add_row(row.map(|cell| plain(&cell)));
        }
        let bold = self.heading;
        let mut text = String::new();
        for (place, line) in table.lines().enumerate() {
            let line = line.trim_end();
            text += &if place == 0 { format!("{bold}{line}{bold:#}\n") } else { format!("{line}\n") };
        }
        self.bytes(text.as_bytes())
    }

    /// Says something besides the answer, unless silence was asked for.
    pub fn remark(&self, text: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.say(&harmless(text));
        }
    }

    /// Says what somebody has to do now; this is never left out.
    pub fn ask(&self, text: &str) {
        self.say(&harmless(text));
    }

    /// Warns.
    pub fn warn(&self, text: &str) {
        let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
        self.say(&format!("{yellow}warning:{yellow:#} {}", harmless(text)));
    }

    /// Tells an error with all its causes.
    pub fn error(&self, error: &anyhow::Error) {
        let red = anstyle::AnsiColor::Red.on_default().bold();
        self.say(&format!("{red}error:{red:#} {}", harmless(&chain(error))));
    }

    fn say(&self, text: &str) {
        let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody reads stderr any more; there is no other place to complain.
        let _ = writeln!(remarks, "{text}");
    }
}

/// An error with its causes, each said once.
fn chain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text += &format!(": {cause}");
        }
    }
    text
}

/// So many of something, as people say it.
pub fn many(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Lines without other control characters: a contact may come from anywhere, and a terminal obeys them.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || !is_obeyed(*c)).collect()
}

/// Whether a terminal does something for it instead of showing it: control characters, and those that turn the direction of
/// the text around.
fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A cell on one line and without control characters.
fn plain(cell: &str) -> String {
    cell.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_obeyed(*c)).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;

    /// What was written.
    #[derive(Clone, Default)]
    pub(crate) struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Paper {
        /// What was written, without colours.
        pub(crate) fn text(&self) -> String {
            let text = String::from_utf8(self.0.lock().expect("whole").clone()).expect("text");
            anstream::adapter::strip_str(&text).to_string()
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("whole").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// An output on paper, and its two sheets.
    pub(crate) fn on_paper(form: Form, verbosity: Verbosity) -> (Output, Paper, Paper) {
        let (answers, remarks) = (Paper::default(), Paper::default());
        let out = Output::new(form, verbosity, Box::new(answers.clone()), Box::new(remarks.clone()));
        (out, answers, remarks)
    }

    #[test]
    fn a_table_has_one_line_for_each_row_and_obeys_no_control_characters() {
        let (out, answers, _) = on_paper(Form::Human, Verbosity::Normal);
        let rows = vec![["Ada\u{1b}[31m".to_owned(), "a\nb".to_owned()], ["Bob".to_owned(), String::new()]];
        out.table(["NAME", "NOTE"], rows).expect("written");
        assert_eq!(answers.text(), " NAME     NOTE\n Ada[31m  a b\n Bob\n");
    }

    #[test]
    fn an_empty_table_is_no_answer_and_a_remark() {
        let (out, answers, remarks) = on_paper(Form::Human, Verbosity::Normal);
        out.table(["NAME"], Vec::new()).expect("written");
        assert_eq!((answers.text().as_str(), remarks.text().as_str()), ("", "nothing found\n"));
    }

    #[test]
    fn silence_keeps_warnings() {
        let (out, _, remarks) = on_paper(Form::Json, Verbosity::Quiet);
        out.remark("by the way");
        out.warn("look out");
        assert_eq!(remarks.text(), "warning: look out\n");
    }

    #[test]
    fn an_error_is_told_with_its_causes_each_once() {
        let error = anyhow::anyhow!("no route").context("cannot connect").context("cannot connect: no route to host");
        assert_eq!(chain(&error), "cannot connect: no route to host");
        let error = anyhow::anyhow!("no route").context("cannot connect").context("listing persons");
        assert_eq!(chain(&error), "listing persons: cannot connect: no route");
    }
}
