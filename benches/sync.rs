//! What an operator feels: the first sync of a book, a sync with nothing to do, and a sync of a few changes.
//!
//! The real binary works against its own sandbox over loopback, each in a process of its own, so that memory and CPU
//! time are those of the sync alone. Calls are counted by the sandbox, and compared with the fewest that Google's
//! interface allows. Times on a shared machine are noisy; the calls and the ratios between the runs are not.
//!
//! Budgets: calls of the first sync equal to the minimum; a quiet sync 2 calls; peak memory below 100 MB at 25,000
//! contacts; the cost of an incremental sync grows with the changes, not with the book.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use usage::Usage;

mod usage;

const BINARY: &str = env!("CARGO_BIN_EXE_contactsync");

fn main() {
    println!("contacts  step         calls  (minimum)  wall s   CPU s  peak MB  contacts/s");
    for size in [1_000, 10_000, 25_000] {
        let bench = Bench::start(size);
        bench.import();
        let groups = 1;
        let minimum = groups + 1 + 1 + size.div_ceil(200);
        bench.sync("first", minimum as u64, size);
        // The first listing after it shows our own writes once more.
        bench.sync("echo", (1 + size.div_ceil(1000)) as u64, 0);
        bench.sync("quiet", 2, 0);
        bench.edit(100);
        // The records differ in the same field: one mask.
        bench.sync("100 edits", 2 + 1, 100);
    }
}

/// A sandbox, a folder with a configuration, and the binary.
struct Bench {
    sandbox: Child,
    control: String,
    folder: PathBuf,
    size: usize,
}

impl Bench {
    fn start(size: usize) -> Self {
        let folder = std::env::temp_dir().join(format!("contactsync-bench-{}-{size}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut sandbox = Command::new(BINARY)
            .args(["sandbox", "--json", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the sandbox starts");
        let mut line = String::new();
        BufReader::new(sandbox.stdout.take().expect("an output")).read_line(&mut line).expect("a first line");
        let first: Value = serde_json::from_str(&line).expect("JSON");
        let text = |name: &str| first[name].as_str().expect(name).to_owned();
        let token = folder.join("token");
        write_private(&token, &text("refresh_token"));
        let email = first["accounts"][0]["email"].as_str().expect("an address");
        let config = format!(
            "[store]\nurl = \"sqlite:contacts.db\"\n[google]\nclient_id = \"{}\"\nclient_secret = \"{}\"\n\
             api_url = \"{}\"\nauth_url = \"{}\"\ntoken_url = \"{}\"\nrevoke_url = \"{}\"\n\
             reads_per_minute = 1000000\nwrites_per_minute = 1000000\n\
             [[account]]\nname = \"bench\"\nemail = \"{email}\"\nrefresh_token_file = \"token\"\n\
             [[account.pair]]\ngroup = \"Bench\"\n[log]\nlevel = \"warn\"\n",
            text("client_id"),
            text("client_secret"),
            text("api_url"),
            text("auth_url"),
            text("token_url"),
            text("revoke_url"),
        );
        write_private(&folder.join("contactsync.toml"), &config);
        Bench { sandbox, control: text("control_url"), folder, size }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(self.folder.join("contactsync.toml"));
        command
    }

    fn import(&self) {
        let mut rows = String::from("First name,Last name,Email,Phone,Organization,Notes\n");
        for n in 0..self.size {
            writeln!(
                rows,
                "Given{n},Family{n},person{n}@example.org,+49 30 {:07},Company {},Imported as number {n}",
                1_000_000 + n,
                n % 40
            )
            .expect("a string");
        }
        let file = self.folder.join("book.csv");
        std::fs::write(&file, rows).expect("the file is written");
        // Persons only: the organizations they name would be contacts of their own.
        let config = self.folder.join("contactsync.toml");
        let text = std::fs::read_to_string(&config).expect("read").replace(
            "refresh_token_file = \"token\"\n",
            "refresh_token_file = \"token\"\norganizations = \"company\"\n",
        );
        write_private(&config, &text);
        let status = self.command().args(["-q", "import", "--yes"]).arg(&file).status().expect("it runs");
        assert!(status.success(), "the import failed");
    }

    fn edit(&self, count: usize) {
        let listed = self.command().args(["--json", "person", "list", "--limit"]).arg(count.to_string()).output();
        let listed: Value = serde_json::from_slice(&listed.expect("it runs").stdout).expect("JSON");
        for contact in listed.as_array().expect("an array") {
            let id = contact["id"].as_str().expect("an id");
            let patch = json!({"job_title": "Edited"}).to_string();
            let status = self
                .command()
                .args(["-q", "person", "edit", id, "--patch", &patch])
                .stdout(Stdio::null())
                .status()
                .expect("it runs");
            assert!(status.success(), "the edit failed");
        }
    }

    fn sync(&self, step: &str, minimum: u64, contacts: usize) {
        self.control("DELETE", "/counters");
        let (output, usage) = Usage::of(self.command().args(["--json", "sync"]));
        let run: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let account = &run["accounts"][0];
        assert_eq!(account["outcome"], "done", "{run}");
        let calls = account["calls"].as_u64().expect("calls");
        println!(
            "{:>8}  {step:<11} {calls:>6}  {minimum:>9}  {:>6.2}  {:>6.2}  {:>7.1}  {:>10.0}",
            self.size,
            usage.wall.as_secs_f64(),
            usage.cpu_seconds,
            usage.peak_kib as f64 / 1024.0,
            contacts as f64 / usage.wall.as_secs_f64(),
        );
    }

    /// One request to the control API, over a bare connection.
    fn control(&self, verb: &str, path: &str) {
        let address = self.control.trim_start_matches("http://");
        let (host, prefix) = address.split_once('/').map_or((address, ""), |(host, rest)| (host, rest));
        let mut stream = TcpStream::connect(host).expect("the sandbox listens");
        let target = if prefix.is_empty() { path.to_owned() } else { format!("/{prefix}{path}") };
        write!(stream, "{verb} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .expect("sent");
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).expect("an answer");
        assert!(line.contains(" 200 "), "{verb} {path}: {line}");
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // What is left behind when this fails is a stopped process and a folder of temporary files.
        let _ = self.sandbox.kill();
        let _ = self.sandbox.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file =
        std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path).expect("a file");
    file.write_all(text.as_bytes()).expect("written");
}
