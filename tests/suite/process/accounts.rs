//! Several accounts: what one brings in goes out to the other in the same run, is planned so, and is taken back so.

use serde_json::{Value, json};

use crate::support::process::{Home, Sandbox};

/// The second account of the sandbox, with a group of its own.
fn with_two_accounts(sandbox: &Sandbox) -> Home {
    let home = Home::with(sandbox);
    let account = sandbox.second_account();
    home.write_private("second-token", account["refresh_token"].as_str().expect("a token"));
    let more = format!(
        "\n[[account]]\nname = \"service\"\nemail = {}\nrefresh_token_file = \"second-token\"\n\
         schedule = \"0 0 0 1 1 *\"\n[[account.pair]]\ngroup = \"Others\"\n",
        account["email"]
    );
    home.configure(&(Home::configuration(sandbox, "") + &more));
    home
}

fn numbers(run: &Value, place: usize, way: &str) -> [u64; 3] {
    ["created", "updated", "deleted"].map(|what| run["accounts"][place][way][what].as_u64().expect("a number"))
}

#[test]
fn what_one_account_brings_in_is_planned_applied_and_undone_for_the_other() {
    let sandbox = Sandbox::start();
    let home = with_two_accounts(&sandbox);
    home.json(&["person", "add", "--name", "Ada", "--email", "ada@example.org"]);
    home.json(&["sync"]);
    for name in ["Bob", "Cleo", "Dora"] {
        let person = json!({"names": [{"givenName": name}], "organizations": [{"name": "New Company"}],
            "emailAddresses": [{"value": format!("{}@example.org", name.to_lowercase())}]});
        sandbox.create(&person, Some("Team"));
    }
    sandbox.edit(&sandbox.person_with("ada@example.org"), &json!({"nicknames": [{"value": "Countess"}]}));
    let plan = home.json(&["plan"]);
    assert_eq!(home.json(&["plan"]), plan, "the same plan reads the same");
    let id = plan["plan"].as_str().expect("an id");
    let run = home.json(&["apply", id]);
    assert_eq!((numbers(&run, 0, "pulled"), numbers(&run, 1, "pushed")), ([3, 1, 0], [3, 1, 0]), "{run}");
    assert!(run["accounts"].as_array().expect("two").iter().all(|one| one["outcome"] == json!("done")), "{run}");
    assert!(home.json(&["plan"])["accounts"][1]["operations"].as_array().expect("a list").is_empty());

    let undone = home.json(&["undo", run["run"].as_str().expect("a run"), "--yes"]);
    assert_eq!((numbers(&undone, 0, "pushed"), numbers(&undone, 1, "pushed")), ([0, 1, 0], [0, 1, 3]), "{undone}");
    assert_eq!(home.json(&["person", "list"]).as_array().expect("a list").len(), 1);
    assert_eq!(home.person_with("ada@example.org")["nicknames"], json!([]));
    sandbox.person_with("bob@example.org");
    let after = home.json(&["sync"]);
    for place in [0, 1] {
        assert_eq!((numbers(&after, place, "pulled"), numbers(&after, place, "pushed")), ([0; 3], [0; 3]), "{after}");
    }
}
