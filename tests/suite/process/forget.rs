//! An account is taken out of the configuration and forgotten.

use crate::support::process::{Home, Sandbox};

#[test]
fn an_account_that_is_configured_no_more_can_be_forgotten_and_taken_up_anew() {
    let sandbox = Sandbox::start();
    sandbox.expect_full_pulls();
    let home = Home::with(&sandbox);
    let id = home.id(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    home.run(["sync"]).ended(0);
    home.run(["forget", "sales"]).refused(2, &["is configured"]);
    let configuration = home.read("contactsync.toml");
    home.configure(configuration.split("[[account]]").next().expect("a part"));
    home.run(["forget", "nobody"]).refused(2, &["nothing is known"]);
    let writes = sandbox.mutations();
    let answer = home.json(&["forget", "sales"]);
    assert_eq!(answer["links"], 1, "{answer}");
    home.run(["forget", "sales"]).refused(2, &["nothing is known"]);
    let ada = home.json(&["person", "show", &id]);
    assert_eq!(ada["version"].as_object().expect("a version").len(), 1, "{ada}");
    assert_eq!((sandbox.mutations(), sandbox.people().len()), (writes, 1));

    home.configure(&configuration);
    home.run(["sync"]).ended(0);
    let persons = home.json(&["person", "list"]);
    assert_eq!((sandbox.people().len(), persons.as_array().map(Vec::len)), (1, Some(1)), "nobody is doubled");
}
