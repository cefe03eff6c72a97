//! People with everything that Google holds, drawn: also what no contact of the store can express, several of a kind,
//! parts left out, types of one's own, data of other programs. The same seed draws the same people.

use contactsync::clock::{Entropy as _, SeededEntropy};
use serde_json::{Map, Value, json};

/// Draws.
pub struct Draw(SeededEntropy);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Draw(SeededEntropy::new(seed))
    }

    /// A number below `end`.
    pub fn below(&self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).expect("a small number");
        usize::try_from(self.0.next_u64() % end).expect("a small number")
    }

    /// True so many times in a hundred.
    pub fn chance(&self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T: ?Sized>(&self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// Up to `most` items, none now and then.
    fn some(&self, most: usize, item: impl Fn(usize) -> Value) -> Vec<Value> {
        (0..self.below(most + 1)).map(item).collect()
    }

    /// An object with some of these members.
    fn parts(&self, percent: usize, members: &[(&str, Value)]) -> Value {
        let some = members.iter().filter(|_| self.chance(percent));
        Value::Object(some.map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    /// The item with a type, predefined or of one's own, or without.
    fn typed(&self, mut item: Value, kinds: &[&str]) -> Value {
        match self.below(4) {
            0 => {}
            1 => item["type"] = json!(self.pick(&["Boat", "Zweitbüro", "Old number", "WORK"])),
            _ => item["type"] = json!(self.pick(kinds)),
        }
        item
    }

    fn date(&self) -> Value {
        let (year, month, day) = (1900 + self.below(120), 1 + self.below(12), 1 + self.below(28));
        match self.below(5) {
            0 => json!({"month": month, "day": day}),
            1 => json!({"year": year}),
            2 => json!({"year": year, "month": month}),
            _ => json!({"year": year, "month": month, "day": day}),
        }
    }

    /// The person of this number; no two people share a name, an e-mail or a phone.
    pub fn person(&self, number: usize) -> Value {
        let mut person = Map::new();
        let lists = [
            ("names", vec![self.name(number)]),
            ("nicknames", self.some(3, |place| self.nickname(number, place))),
            ("emailAddresses", self.preferred(self.some(4, |place| self.email(number, place)))),
            ("phoneNumbers", self.preferred(self.some(4, |place| self.phone(number, place)))),
            ("addresses", self.some(3, |place| self.address(number, place))),
            ("organizations", self.some(3, |place| self.organization(number, place))),
            ("birthdays", self.some(1, |_| self.birthday())),
            ("events", self.some(3, |place| self.event(place))),
            ("biographies", self.some(1, |_| self.biography(number))),
            ("urls", self.some(3, |place| self.url(number, place))),
            ("relations", self.some(3, |place| self.relation(number, place))),
            ("imClients", self.some(3, |place| self.messenger(number, place))),
            ("userDefined", self.some(4, |place| self.own_field(place))),
            ("externalIds", self.some(2, |place| self.external(number, place))),
            ("clientData", self.some(3, |place| self.foreign_data(number, place))),
            ("sipAddresses", self.some(2, |place| self.sip(number, place))),
            ("calendarUrls", self.some(2, |place| self.calendar(number, place))),
            ("locations", self.some(2, |place| self.location(place))),
            ("occupations", self.some(2, |place| json!({"value": format!("Occupation {place}")}))),
            ("interests", self.some(2, |place| json!({"value": format!("Interest {place}")}))),
            ("locales", self.some(2, |place| json!({"value": (["en", "de", "fr"][place])}))),
            ("genders", self.some(1, |_| self.gender())),
            ("miscKeywords", self.some(3, |place| self.keyword(place))),
        ];
        for (list, items) in lists {
            if !items.is_empty() {
                person.insert(list.to_owned(), Value::Array(items));
            }
        }
        Value::Object(person)
    }

    /// What the profile behind a contact shows; it is not the contact's own.
    pub fn profile(&self, number: usize) -> Value {
        json!({
            "names": [{"givenName": "Profile", "familyName": format!("Number {number}")}],
            "skills": [{"value": "Juggling"}],
            "urls": [{"value": format!("https://profiles.example/{number}"), "type": "profile"}],
            "nicknames": [{"value": "on the net"}],
        })
    }

    fn name(&self, number: usize) -> Value {
        let mut name = self.parts(
            30,
            &[
                ("middleName", json!("B.")),
                ("honorificPrefix", json!("Dr.")),
                ("honorificSuffix", json!("Jr.")),
                ("phoneticGivenName", json!("Ey-da")),
                ("phoneticFamilyName", json!("Kíng")),
                ("phoneticMiddleName", json!("Bi")),
                ("phoneticFullName", json!("Ey-da Kíng")),
                ("phoneticHonorificPrefix", json!("Doc")),
                ("phoneticHonorificSuffix", json!("Dschunior")),
            ],
        );
        name["familyName"] = json!(format!("Müller-Lee {number}"));
        if self.chance(85) {
            name["givenName"] = json!(self.pick(&["Ada", "Zoë", "Grace", "李", "Anne Marie"]));
        }
        name
    }

    fn nickname(&self, number: usize, place: usize) -> Value {
        let mut item = json!({"value": format!("Nick {number} {place}")});
        if self.chance(50) {
            let kinds = ["MAIDEN_NAME", "INITIALS", "GPLUS", "OTHER_NAME", "ALTERNATE_NAME", "SHORT_NAME"];
            item["type"] = json!(self.pick(&kinds));
        }
        item
    }

    /// One of the items may be the user's choice.
    fn preferred(&self, mut items: Vec<Value>) -> Vec<Value> {
        if !items.is_empty() && self.chance(25) {
            let place = self.below(items.len());
            items[place]["metadata"] = json!({"sourcePrimary": true});
        }
        items
    }

    fn email(&self, number: usize, place: usize) -> Value {
        let mut item = json!({"value": format!("Person.{number}.{place}@Example.org")});
        if self.chance(30) {
            item["displayName"] = json!(format!("Person {number} at {place}"));
        }
        self.typed(item, &["home", "work", "other"])
    }

    fn phone(&self, number: usize, place: usize) -> Value {
        let value = match self.below(4) {
            0 => format!("+49 30 {number:05}{place}00"),
            1 => format!("(212) 55{place}-{number:04}"),
            2 => format!("+44 20 {place}946 {number:04} ext. 3"),
            _ => format!("ask desk {place} for {number}"),
        };
        self.typed(
            json!({"value": value}),
            &["home", "work", "mobile", "homeFax", "workFax", "pager", "main", "googleVoice"],
        )
    }

    fn address(&self, number: usize, place: usize) -> Value {
        if self.chance(20) {
            let text = format!("Somewhere {number} {place}\nover the rainbow");
            return self.typed(json!({"formattedValue": text}), &["home", "work", "other"]);
        }
        let mut item = self.parts(
            50,
            &[
                ("poBox", json!("PO 12")),
                ("extendedAddress", json!("2nd floor")),
                ("city", json!("Zürich")),
                ("region", json!("ZH")),
                ("postalCode", json!("8001")),
                ("country", json!("Switzerland")),
                ("countryCode", json!("CH")),
            ],
        );
        item["streetAddress"] = json!(format!("Linden {number} {place}"));
        self.typed(item, &["home", "work", "other"])
    }

    fn organization(&self, number: usize, place: usize) -> Value {
        let mut item = self.parts(
            40,
            &[
                ("title", json!("Engineer")),
                ("department", json!("Engines")),
                ("current", json!(true)),
                ("startDate", json!({"year": 2015, "month": 6, "day": 1})),
                ("endDate", json!({"year": 2020})),
                ("domain", json!("example.org")),
                ("symbol", json!("EXG")),
                ("location", json!("Berlin")),
                ("jobDescription", json!("thinks")),
                ("phoneticName", json!("Eks")),
                ("costCenter", json!("CC 7")),
                ("fullTimeEquivalentMillipercent", json!(50_000)),
            ],
        );
        item["name"] = json!(format!("Company {} GmbH", (number * 3 + place) % 40));
        self.typed(item, &["work", "school"])
    }

    fn birthday(&self) -> Value {
        match self.below(4) {
            0 => json!({"text": "in spring"}),
            1 => json!({"date": self.date(), "text": "as it says"}),
            _ => json!({"date": self.date()}),
        }
    }

    fn event(&self, place: usize) -> Value {
        let mut date = self.date();
        // No two on one day: what is the same twice says nothing.
        date["year"] = json!(1950 + self.below(10) + 10 * place);
        self.typed(json!({"date": date}), &["anniversary", "other"])
    }

    fn biography(&self, number: usize) -> Value {
        match self.below(3) {
            0 => json!({"value": format!("<p>Number {number}</p>"), "contentType": "TEXT_HTML"}),
            1 => json!({"value": format!("Number {number}\n\nlikes engines. "), "contentType": "TEXT_PLAIN"}),
            _ => json!({"value": format!("Number {number}")}),
        }
    }

    fn url(&self, number: usize, place: usize) -> Value {
        let value = match self.below(3) {
            0 => format!("site-{number}-{place}.example"),
            1 => format!("HTTPS://Example.org/{number}/{place}"),
            _ => format!("https://example.org/{number}/{place}?q=1"),
        };
        let kinds = ["home", "work", "blog", "profile", "homePage", "ftp", "reservations", "appInstallPage", "other"];
        self.typed(json!({"value": value}), &kinds)
    }

    fn relation(&self, number: usize, place: usize) -> Value {
        let item = json!({"person": format!("Relative {number} {place}")});
        self.typed(item, &["spouse", "child", "mother", "domesticPartner", "manager", "assistant", "referredBy"])
    }

    fn messenger(&self, number: usize, place: usize) -> Value {
        let mut item = json!({"username": format!("user{number}.{place}")});
        if self.chance(70) {
            item["protocol"] = json!(self.pick(&["jabber", "skype", "googleTalk", "icq", "Matrix", "netMeeting"]));
        }
        self.typed(item, &["home", "work", "other"])
    }

    /// Keys may stand twice.
    fn own_field(&self, place: usize) -> Value {
        json!({"key": self.pick(&["Price list", "Größe", "Region"]), "value": format!("value {place}")})
    }

    fn external(&self, number: usize, place: usize) -> Value {
        let kinds = ["account", "customer", "loginId", "network", "organization"];
        self.typed(json!({"value": format!("{number}-{place}")}), &kinds)
    }

    /// Keys may stand twice, and one looks much like ours.
    fn foreign_data(&self, number: usize, place: usize) -> Value {
        json!({"key": self.pick(&["crm", "contactsync.other", "sync-id"]), "value": format!("{number}/{place}")})
    }

    fn sip(&self, number: usize, place: usize) -> Value {
        self.typed(json!({"value": format!("sip:{number}.{place}@example.org")}), &["home", "work", "mobile", "other"])
    }

    fn calendar(&self, number: usize, place: usize) -> Value {
        let url = format!("https://calendar.example/{number}/{place}");
        self.typed(json!({"url": url}), &["home", "freeBusy", "work"])
    }

    fn location(&self, place: usize) -> Value {
        let mut item = self.parts(
            40,
            &[
                ("current", json!(true)),
                ("buildingId", json!("HQ")),
                ("floor", json!("3")),
                ("floorSection", json!("A")),
                ("deskCode", json!("3A7")),
            ],
        );
        item["value"] = json!(format!("Desk {place}"));
        self.typed(item, &["desk", "grewUp"])
    }

    fn gender(&self) -> Value {
        let mut item = json!({"value": self.pick(&["male", "female", "unspecified", "diverse"])});
        if self.chance(40) {
            item["addressMeAs"] = json!("they");
        }
        item
    }

    fn keyword(&self, place: usize) -> Value {
        let kinds = ["OUTLOOK_KEYWORD", "OUTLOOK_MILEAGE", "OUTLOOK_SUBJECT", "OUTLOOK_USER", "HOME", "WORK", "OTHER"];
        json!({"value": format!("keyword {place}"), "type": self.pick(&kinds)})
    }
}
