//! Which number a spelling means, where that depends on the country it is read in.
//!
//! To whoever is in Germany, `030 1234567` and `+49 30 1234567` are one number. [`normal::phone_key`] knows no country and
//! keeps them apart, because what two sides agree on must not change with a setting. For finding the twin of a contact the
//! country counts: the configured one ([`HomeRegion`]), and what the remote says that it takes a number for.
//!
//! Nothing of this is stored, and no index depends on it. What the index may have for a number is listed instead when it
//! is looked up ([`spellings`]), so another region takes effect with the next look, and nothing has to be indexed anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use rlibphonenumber::{
    PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region, get_national_significant_number_owned,
};

use super::contact::Phone;
use super::normal;

/// What stands between a number and its extension in a [`normal::phone_key`].
const EXTENSION: &str = ";ext=";

/// The country whose way to write phone numbers is assumed where a number does not name one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HomeRegion(Region);

/// The text names no country with a numbering plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not the two-letter code of a country")]
pub struct ParseHomeRegionError {
    text: String,
}

impl FromStr for HomeRegion {
    type Err = ParseHomeRegionError;

    /// Reads the two letters of ISO 3166, whatever their case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let region = Region::from_code(text).ok().filter(|region| *region != Region::World);
        region
            .filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some())
            .map(HomeRegion)
            .ok_or_else(|| ParseHomeRegionError { text: text.to_owned() })
    }
}

impl fmt::Display for HomeRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl HomeRegion {
    /// The number that somebody in the country reaches by dialling these digits.
    fn number(self, digits: &str) -> Option<PhoneNumber> {
        // The library sees nothing but digits: its own reading of everything else would equate numbers that differ.
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = PHONE_NUMBER_UTIL.parse(digits, Some(self.0)).ok()?;
        PHONE_NUMBER_UTIL.is_valid_number(&number).then_some(number)
    }
}

/// The key of the number that a spelling means: that of [`normal::phone_key`], in E.164 also where only the country tells
/// what is dialled.
pub fn number_key(value: &str, home: Option<HomeRegion>) -> String {
    let key = normal::phone_key(value);
    let (main, extension) = split(&key);
    let Some(number) = home.and_then(|home| home.number(main)) else { return key };
    format!("{}{extension}", e164(&number))
}

/// The keys of [`normal::phone_key`] under which a number may stand in an index, given its [`number_key`].
pub fn spellings(key: &str, home: Option<HomeRegion>) -> BTreeSet<String> {
    let mut spellings = BTreeSet::from([key.to_owned()]);
    let (main, extension) = split(key);
    let Some(home) = home.filter(|_| main.starts_with('+')) else { return spellings };
    let Ok(number) = PHONE_NUMBER_UTIL.parse(main, None) else { return spellings };
    let util = &*PHONE_NUMBER_UTIL;
    let mut dialled = vec![util.format_out_of_country_calling_number(&number, home.0).into_owned()];
    if util.get_country_code_for_region(home.0) == Some(number.country_code) {
        let significant = get_national_significant_number_owned(&number);
        dialled.push(util.format(&number, PhoneNumberFormat::National).into_owned());
        dialled.push(format!("{}{significant}", number.country_code));
        dialled.push(significant);
    }
    let digits = dialled.iter().map(|text| text.chars().filter(char::is_ascii_digit).collect::<String>());
    spellings.extend(digits.map(|digits| format!("{digits}{extension}")));
    spellings
}

/// Gives phones of another contact the spelling that the own ones have, where both mean one number and neither side has
/// the other's spelling as well. `known` is what the remote takes the spellings of `theirs` for.
pub fn spell_alike(ours: &[Phone], theirs: &mut [Phone], home: Option<HomeRegion>, known: &BTreeMap<String, String>) {
    let keys = |phones: &[Phone]| phones.iter().map(|phone| normal::phone_key(&phone.value)).collect::<BTreeSet<_>>();
    let (our_keys, their_keys) = (keys(ours), keys(theirs));
    let mut free: Vec<&Phone> =
        ours.iter().filter(|phone| !their_keys.contains(&normal::phone_key(&phone.value))).collect();
    for phone in theirs.iter_mut().filter(|phone| !our_keys.contains(&normal::phone_key(&phone.value))) {
        let told = known.get(&phone.value).map(|number| number_key(number, None));
        let numbers: Vec<String> = told.into_iter().chain([number_key(&phone.value, home)]).collect();
        let is_same = |own: &&Phone| {
            let number = number_key(&own.value, home);
            normal::phone_number(&number) && numbers.contains(&number)
        };
        if let Some(place) = free.iter().position(is_same) {
            phone.value.clone_from(&free.remove(place).value);
        }
    }
}

fn split(key: &str) -> (&str, &str) {
    key.find(EXTENSION).map_or((key, ""), |place| key.split_at(place))
}

fn e164(number: &PhoneNumber) -> String {
    PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(code: &str) -> Option<HomeRegion> {
        Some(code.parse().expect(code))
    }

    #[test]
    fn a_national_spelling_means_a_number_of_the_home_region() {
        for (region, spelled, number) in [
            ("DE", "030 1234567", "+49301234567"),
            ("DE", "(030) 123-45-67 ext. 12", "+49301234567;ext=12"),
            ("DE", "0049 30 1234567", "+49301234567"),
            ("DE", "+44 20 7946 0018", "+442079460018"),
            ("AT", "01 5321234", "+4315321234"),
            ("GB", "020 7946 0018", "+442079460018"),
            ("ES", "666 12 34 90", "+34666123490"),
            ("IT", "06 6982 1234", "+390669821234"),
            ("US", "(212) 555-0100", "+12125550100"),
            ("US", "1-212-555-0100", "+12125550100"),
            ("US", "011 49 30 1234567", "+49301234567"),
            ("DE", "112", "112"),
            ("DE", "call me", "call me"),
            ("DE", "", ""),
        ] {
            assert_eq!(number_key(spelled, home(region)), number, "{region} {spelled}");
            assert_eq!(number_key(spelled, None), normal::phone_key(spelled), "{spelled}");
        }
    }

    #[test]
    fn the_index_is_asked_for_every_spelling_of_a_number() {
        for (region, spelled) in [
            ("DE", "030 1234567"),
            ("DE", "030 1234567 ext. 12"),
            ("DE", "30 1234567"),
            ("DE", "49 30 1234567"),
            ("DE", "0043 1 5321234"),
            ("GB", "020 7946 0018"),
            ("IT", "06 6982 1234"),
            ("US", "(212) 555-0100"),
            ("US", "1-212-555-0100"),
            ("US", "011 49 30 1234567"),
        ] {
            let number = number_key(spelled, home(region));
            assert!(number.starts_with('+'), "{region} {spelled}: {number}");
            let asked = spellings(&number, home(region));
            assert!(asked.contains(&normal::phone_key(spelled)), "{region} {spelled}: {asked:?}");
            assert!(asked.contains(&number));
            assert_eq!(spellings(&number, None), BTreeSet::from([number]));
        }
    }

    #[test]
    fn a_region_is_a_country_with_a_numbering_plan() {
        assert_eq!(home("de").map(|home| home.to_string()).as_deref(), Some("DE"));
        for text in ["", "D", "DEU", "XX", "001", "+49", "дe"] {
            assert!(text.parse::<HomeRegion>().is_err(), "{text}");
        }
    }

    fn phones(values: &[&str]) -> Vec<Phone> {
        values.iter().map(|value| Phone { value: (*value).to_owned(), label: None, primary: false }).collect()
    }

    #[test]
    fn spellings_of_one_number_become_alike_and_others_stay() {
        let told = |value: &str, number: &str| BTreeMap::from([(value.to_owned(), number.to_owned())]);
        let none = BTreeMap::new();
        for (ours, theirs, home, known, expected) in [
            (vec!["030 1234567"], vec!["+49 30 1234567"], home("DE"), &none, vec!["030 1234567"]),
            (vec!["+49 30 1234567"], vec!["030 1234567"], home("DE"), &none, vec!["+49 30 1234567"]),
            (vec!["030 1234567"], vec!["+49 30 1234567"], None, &none, vec!["+49 30 1234567"]),
            (
                vec!["+49 30 1234567"],
                vec!["030 1234567"],
                None,
                &told("030 1234567", "+49301234567"),
                vec!["+49 30 1234567"],
            ),
            // Both spellings stand there on purpose, or at least not by our doing.
            (vec!["030 1234567", "+49 30 1234567"], vec!["+49 30 1234567"], home("DE"), &none, vec!["+49 30 1234567"]),
            (
                vec!["030 1234567"],
                vec!["030 1234567", "+49 30 1234567"],
                home("DE"),
                &none,
                vec!["030 1234567", "+49 30 1234567"],
            ),
            (vec!["112"], vec!["112 "], home("DE"), &none, vec!["112 "]),
            (vec!["030 1234567"], vec!["+49 30 7654321"], home("DE"), &none, vec!["+49 30 7654321"]),
        ] {
            let mut met = phones(&theirs);
            spell_alike(&phones(&ours), &mut met, home, known);
            let met: Vec<&str> = met.iter().map(|phone| phone.value.as_str()).collect();
            assert_eq!(met, expected, "{ours:?} {theirs:?}");
        }
    }
}
