//! The emulated Google in a process of its own, and what its users do, through the control API.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};

use super::program::{BOUND, Program, command};

/// The account that every test uses.
pub const ACCOUNT: &str = "sales@example.org";

/// An answer over HTTP.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Asks an address; `headers` are whole lines.
pub fn ask(address: &str, verb: &str, path: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!(
        "{verb} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    let mut stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("nobody listens at {address}: {error}"));
    stream.set_read_timeout(Some(BOUND)).expect("a bound");
    stream.write_all((head + body).as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// An emulated Google.
pub struct Sandbox {
    pub facts: Value,
    address: String,
    /// `None` once it is stopped.
    program: Option<Program>,
}

impl Sandbox {
    pub fn start() -> Sandbox {
        let mut command = command(Path::new("/"));
        command.args(["sandbox", "--json", "--listen", "127.0.0.1:0"]);
        let mut program = Program::start(command);
        let facts: Value = serde_json::from_str(&program.answer()).expect("JSON");
        let address = facts["api_url"].as_str().expect("an address").trim_start_matches("http://").to_owned();
        Sandbox { facts, address, program: Some(program) }
    }

    /// A fact of the first line.
    pub fn fact(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap_or_else(|| panic!("no {name}"))
    }

    /// Address and refresh token of the second account.
    pub fn second_account(&self) -> &Value {
        &self.facts["accounts"][1]
    }

    /// Ends it: nobody listens at its address any more.
    pub fn stop(mut self) {
        self.has_no_violations();
        let program = self.program.take().expect("it runs");
        program.signal("TERM");
        program.end().ended(0);
    }

    /// Asks the control API.
    pub fn control(&self, verb: &str, path: &str, body: Option<&Value>) -> Value {
        let body = body.map(Value::to_string).unwrap_or_default();
        let answer = ask(&self.address, verb, &format!("/control{path}"), "", &body);
        assert_eq!(answer.status, 200, "{verb} {path}: {}", answer.body);
        serde_json::from_str(&answer.body).expect("JSON")
    }

    fn account(&self, verb: &str, path: &str, body: Option<&Value>) -> Value {
        self.control(verb, &format!("/accounts/{ACCOUNT}/{path}"), body)
    }

    /// All contacts.
    pub fn people(&self) -> Vec<Value> {
        self.account("GET", "people", None).as_array().expect("a list").clone()
    }

    /// All contacts of the second account.
    pub fn people_of_second(&self) -> Vec<Value> {
        let email = self.second_account()["email"].as_str().expect("an address").to_owned();
        self.control("GET", &format!("/accounts/{email}/people"), None).as_array().expect("a list").clone()
    }

    /// The contacts with this e-mail.
    pub fn people_with(&self, email: &str) -> Vec<Value> {
        let has = |person: &Value| {
            person["emailAddresses"].as_array().is_some_and(|emails| emails.iter().any(|e| e["value"] == email))
        };
        self.people().into_iter().filter(has).collect()
    }

    /// The one contact with this e-mail.
    pub fn person_with(&self, email: &str) -> Value {
        let mut found = self.people_with(email);
        assert_eq!(found.len(), 1, "{email}: {found:?}");
        found.remove(0)
    }

    /// Creates a contact in a group; without one, outside of all.
    pub fn create(&self, person: &Value, group: Option<&str>) -> Value {
        let created = self.account("POST", "people", Some(person));
        if let Some(group) = group {
            self.account("PUT", &format!("people/{}/labels/{}", id_of(&created), self.group(group)), None);
        }
        created
    }

    /// Edits a contact.
    pub fn edit(&self, person: &Value, patch: &Value) {
        self.account("PATCH", &format!("people/{}", id_of(person)), Some(patch));
    }

    /// Takes a contact out of a group.
    pub fn leave(&self, person: &Value, group: &str) {
        self.account("DELETE", &format!("people/{}/labels/{}", id_of(person), self.group(group)), None);
    }

    /// Deletes a group; its members stay.
    pub fn delete_group(&self, name: &str) {
        let group = self.group(name);
        self.account("DELETE", &format!("groups/{group}"), None);
    }

    /// Moves a contact to the trash.
    pub fn delete(&self, person: &Value) {
        self.account("DELETE", &format!("people/{}", id_of(person)), None);
    }

    /// The last part of a group's resource name.
    fn group(&self, name: &str) -> String {
        let groups = self.account("GET", "groups", None);
        let found = groups.as_array().expect("a list").iter().find(|group| group["name"] == name);
        id_of(found.unwrap_or_else(|| panic!("no group {name}: {groups}"))).to_owned()
    }

    /// Withdraws the user's consent.
    pub fn revoke_grant(&self) {
        self.account("POST", "revoke-grant", None);
    }

    /// Adds a fault.
    pub fn fault(&self, fault: &Value) {
        self.control("POST", "/faults", Some(fault));
    }

    /// Changes the settings.
    pub fn set(&self, settings: &Value) {
        self.control("PATCH", "/settings", Some(settings));
    }

    /// How many calls of these methods were made; a `*` at the end stands for the rest.
    pub fn calls(&self, methods: &[&str]) -> u64 {
        let counters = self.control("GET", "/counters", None);
        let counted = counters["accounts"][ACCOUNT].as_object().cloned().unwrap_or_default();
        let is_meant = |name: &str| {
            methods.iter().any(|method| match method.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => name == *method,
            })
        };
        counted.iter().filter(|(name, _)| is_meant(name)).filter_map(|(_, count)| count["calls"].as_u64()).sum()
    }

    /// Waits until so many calls of these methods were made, as long as `goes_on`; tells whether they were.
    pub fn sees(&self, methods: &[&str], count: u64, mut goes_on: impl FnMut() -> bool) -> bool {
        for _ in 0..LOOKS_MAX {
            if self.calls(methods) >= count {
                return true;
            }
            if !goes_on() {
                return false;
            }
            std::thread::yield_now();
        }
        panic!("{count} calls of {methods:?} never come");
    }

    /// How many full listings of contacts were begun.
    pub fn full_listings(&self) -> u64 {
        self.control("GET", "/counters", None)["total"]["full_pulls"].as_u64().expect("a number")
    }

    /// How many calls were made that could change anything.
    pub fn mutations(&self) -> u64 {
        self.calls(&["*"]) - self.calls(&READING)
    }

    /// Nothing that no client should do was done.
    pub fn has_no_complaints(&self) {
        self.has_no_violations();
        assert_eq!(self.control("GET", "/counters", None)["refusals"], json!([]));
    }

    fn has_no_violations(&self) {
        let counters = self.control("GET", "/counters", None);
        assert_eq!(counters["violations"], json!([]), "what no careful client does");
    }

    /// Persons ask for full listings, or do what needs them, such as a plan before the first run: they are no violation,
    /// however soon they come.
    pub fn expect_full_pulls(&self) {
        self.set(&json!({"full_pulls_apart_s": 0}));
    }
}

/// No test ends with a violation.
impl Drop for Sandbox {
    fn drop(&mut self) {
        if self.program.is_some() && !std::thread::panicking() {
            self.has_no_violations();
        }
    }
}

/// How often it is looked at while something is waited for; a look takes about a millisecond.
const LOOKS_MAX: u32 = 60_000;

/// The methods that change nothing at Google.
const READING: [&str; 7] = [
    "oauth.*",
    "people.get",
    "people.getBatchGet",
    "people.connections.list",
    "contactGroups.list",
    "contactGroups.get",
    "contactGroups.batchGet",
];

/// The last part of a resource name.
fn id_of(resource: &Value) -> &str {
    resource["resourceName"].as_str().and_then(|name| name.rsplit('/').next()).expect("a resource name")
}
