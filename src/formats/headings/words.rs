//! Headings made of words that we know: `Telefon (geschäftlich)`, `Adres służbowy - kod pocztowy`, `tel_cell_private`,
//! `Business Street 2`.
//!
//! A heading counts only when *every* word of it is known. `Phone provider` has a stranger in it and is no phone.

use super::super::labels;
use super::super::target::{AddressPart, Group, NamePart, Target};
use super::spelling;

/// What a word can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    /// `work`, `home`, `other`.
    Place(&'static str),
    Email,
    Phone,
    /// `mobile`, `fax`, `pager`, `main`, `car`.
    Device(&'static str),
    Website,
    Name(NamePart),
    Organization,
    Address,
    Part(AddressPartWord),
    /// Says nothing: `number`, `nr`, `of`.
    Filler,
    Ordinal(u8),
}

/// The parts of an address that have a word of their own; in the order in which they win over each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AddressPartWord {
    PoBox,
    Street,
    HouseNumber,
    Extended,
    PostalCode,
    City,
    Country,
    Region,
}

const VOCABULARY: &[(Word, &str)] = &[
    (
        Word::Place("work"),
        "work business office geschaftlich arbeit dienstlich firmen buro sluzbowy sluzbowa sluzbowe praca \
         biuro firmowy firmowa firmowe trabajo laboral trabalho comercial zakelijk werk travail bureau \
         professionnel",
    ),
    (
        Word::Place("home"),
        "home private personal privat privates domowy domowa domowe dom prywatny prywatna prywatne osobisty \
         osobista casa particular residencial prive privee domicile personnel",
    ),
    (
        Word::Place("other"),
        "other weitere weiterer weiteres andere anderer anderes inny inna inne otro otra outro outra autre",
    ),
    (Word::Place("shipping"), "shipping delivery liefer verzending verz"),
    (Word::Place("billing"), "billing invoice rechnungs facturatie fact"),
    (Word::Name(NamePart::Prefix), "salutation anrede aanhef"),
    (Word::Name(NamePart::Given), "firstname voornaam vorname"),
    (Word::Name(NamePart::Family), "lastname surname achternaam nachname"),
    (Word::Organization, "company firma bedrijfsnaam"),
    (Word::Email, "email emails mail mails mailadresse emailadresse emailadres emailaddress correo poczta courriel"),
    (
        Word::Phone,
        "phone phones phonenumber telephone telephon tel telefon telefonnummer telefonu rufnummer fon \
         telefono telefone telefoon telefoonnummer",
    ),
    (
        Word::Device("mobile"),
        "mobile mobilephone cell cellphone cellular handy handynummer mobil mobiltelefon mobilnummer \
         mobilfunk mobiltel komorka komorkowy komorkowego kom celular movil telemovel gsm mobiel portable",
    ),
    (Word::Device("fax"), "fax faks faksu telefax faxnummer faxnumber"),
    (Word::Device("pager"), "pager pagernummer"),
    (Word::Device("main"), "main hauptnummer haupttelefon zentrale centrala"),
    (Word::Device("car"), "car autotelefon"),
    (Word::Website, "website webseite url homepage www web weburl strona sitio site internet webpage internetseite"),
    (Word::Address, "address adresse adres adr anschrift direccion endereco indirizzo"),
    (Word::Part(AddressPartWord::Street), "street strasse ulica str calle rua rue straat streetaddress"),
    (Word::Part(AddressPartWord::HouseNumber), "hausnummer hausnr housenumber huisnummer"),
    (Word::Part(AddressPartWord::Extended), "extended adresszusatz zusatz toevoeging"),
    (
        Word::Part(AddressPartWord::City),
        "city town ort stadt wohnort miasto miejscowosc ciudad cidade ville plaats woonplaats locality",
    ),
    (Word::Part(AddressPartWord::PostalCode), "zip zipcode postal postcode postalcode plz postleitzahl pocztowy cep"),
    (
        Word::Part(AddressPartWord::Region),
        "state province region bundesland kanton wojewodztwo estado provincia county",
    ),
    (Word::Part(AddressPartWord::Country), "country land kraj panstwo pais pays"),
    (Word::Part(AddressPartWord::PoBox), "pobox postfach skrzynka"),
    (
        Word::Filler,
        "number numbers no nr nummer numer num numero of de do the code kod codigo page seite sieci line \
         zeile value mailing primary primar primare podstawowy electronico eletronico elektroniczna pocztowa \
         sugeridos sugerido suggested kombination permanent current",
    ),
    (Word::Ordinal(2), "second secondary sekundare dodatkowy zweite alternative alternate"),
];

/// Every word we know, folded, with its meaning.
pub(super) fn vocabulary() -> impl Iterator<Item = (&'static str, Word)> {
    VOCABULARY.iter().flat_map(|(meaning, words)| words.split(' ').map(|word| (word, *meaning)))
}

/// Reads a heading whose words are all known.
pub(super) fn target(heading: &str) -> Option<Target> {
    let words = joined(spelling::words(heading));
    let meanings: Option<Vec<Word>> = words.iter().map(|word| meaning(word)).collect();
    combined(&meanings?)
}

/// `e mail` and `po box` are one word, a German compound with an address is two.
fn joined(words: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        match (joined.last_mut(), word.as_str()) {
            (Some(last), "mail" | "mailadresse" | "mails") if last == "e" => *last = word.replace("mail", "email"),
            (Some(last), "box") if last == "po" => *last = "pobox".to_owned(),
            (Some(last), "name") if matches!(last.as_str(), "first" | "last" | "company") => {
                *last = if last == "company" { "company".to_owned() } else { format!("{last}name") };
            }
            _ => match word.strip_suffix("adresse") {
                Some(place @ ("arbeits" | "privat" | "geschafts")) => {
                    joined.push(if place == "privat" { "home" } else { "work" }.to_owned());
                    joined.push("adresse".to_owned());
                }
                _ => joined.push(word),
            },
        }
    }
    joined
}

fn meaning(word: &str) -> Option<Word> {
    if let Ok(ordinal) = word.parse() {
        return Some(Word::Ordinal(ordinal));
    }
    vocabulary().find(|(known, _)| *known == word).map(|(_, meaning)| meaning)
}

/// What words say together; `None` when they contradict each other or say nothing.
pub(super) fn combined(words: &[Word]) -> Option<Target> {
    let place = words.iter().find_map(|word| if let Word::Place(place) = word { Some(*place) } else { None });
    let device = words.iter().find_map(|word| if let Word::Device(device) = word { Some(*device) } else { None });
    let ordinal = words.iter().find_map(|word| if let Word::Ordinal(n) = word { Some(*n) } else { None });
    let has = |wanted: Word| words.contains(&wanted);
    let parts: Vec<AddressPartWord> =
        words.iter().filter_map(|word| if let Word::Part(part) = word { Some(*part) } else { None }).collect();
    let label = place.map(str::to_owned);
    let group = Group::default();
    if let Some(named) = name_or_organization(words) {
        return named;
    }
    if has(Word::Email) {
        return (parts.is_empty() && !has(Word::Phone) && device.is_none()).then_some(Target::Email { label, group });
    }
    // `Main` and `Car` alone are no phones.
    if has(Word::Phone) || matches!(device, Some("mobile" | "fax" | "pager")) {
        let is_address = !parts.is_empty() || has(Word::Address) || has(Word::Website);
        return (!is_address).then(|| Target::Phone { label: labels::phone_label(device, place), group });
    }
    if device.is_some() {
        return None;
    }
    if has(Word::Website) {
        return parts.is_empty().then_some(Target::Website { label, group });
    }
    let part = address_part(&parts, has(Word::Address), ordinal)?;
    Some(Target::Address { label, group: address_group(place, part, ordinal), part })
}

/// Shops export a name per address: `Billing first name`. `None` when no word is one of a name.
fn name_or_organization(words: &[Word]) -> Option<Option<Target>> {
    let mut named = words.iter().filter_map(|word| match word {
        Word::Name(part) => Some(Target::Name(*part)),
        Word::Organization => Some(Target::Organization),
        _ => None,
    });
    let target = named.next()?;
    let is_all =
        words.iter().all(|word| matches!(word, Word::Name(_) | Word::Organization | Word::Place(_) | Word::Filler));
    Some((named.next().is_none() && is_all).then_some(target))
}

fn address_part(parts: &[AddressPartWord], is_address: bool, ordinal: Option<u8>) -> Option<AddressPart> {
    use AddressPartWord as Part;
    let mut parts = parts.to_vec();
    parts.sort();
    parts.dedup();
    Some(match (parts.as_slice(), ordinal) {
        ([], Some(line @ 2..)) if is_address => AddressPart::StreetLine(line),
        ([], Some(_)) if is_address => AddressPart::Street,
        ([], None) if is_address => AddressPart::Formatted,
        // `Postal address` is one address, not a code.
        ([Part::PostalCode], None) if is_address && parts.len() == 1 => AddressPart::PostalCode,
        ([Part::PoBox], _) => AddressPart::PoBox,
        ([Part::Street], Some(line @ 2..)) => AddressPart::StreetLine(line),
        ([Part::Street], _) => AddressPart::Street,
        ([Part::HouseNumber], _) => AddressPart::HouseNumber,
        ([Part::Extended] | [Part::HouseNumber, Part::Extended], _) => AddressPart::Extended,
        ([Part::PostalCode], _) => AddressPart::PostalCode,
        ([Part::PostalCode, Part::City], _) => AddressPart::PostalCodeAndCity,
        ([Part::City], _) => AddressPart::City,
        // `Land/Region` is what Microsoft calls a country.
        ([Part::Country] | [Part::Country, Part::Region], _) => AddressPart::Country,
        ([Part::Region], _) => AddressPart::Region,
        _ => return None,
    })
}

/// Parts with one place and one number make one address. Numbered streets are lines of one address, unless `context`
/// finds a second town.
fn address_group(place: Option<&str>, part: AddressPart, ordinal: Option<u8>) -> Group {
    let place = place.unwrap_or_default();
    match (part, ordinal) {
        (AddressPart::Street | AddressPart::StreetLine(_), _) | (_, None | Some(1)) => Group::named(place),
        (_, Some(n)) => Group::named(format!("{place} {n}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_together_name_a_field() {
        for (heading, expected) in [
            ("E-Mail", "email"),
            ("E-Mail-Adresse", "email"),
            ("Email address (work)", "email.work"),
            ("Adres e-mail 2", "email"),
            ("Privat E-Mail", "email.home"),
            ("Primäre E-Mail-Adresse", "email"),
            ("Telefon (geschäftlich)", "phone.work"),
            ("Telefon służbowy 2", "phone.work"),
            ("Handy", "phone.mobile"),
            ("Telefon komórkowy", "phone.mobile"),
            ("tel_cell_private", "phone.mobile"),
            ("tel_fax_home", "phone.homeFax"),
            ("Faks służbowy", "phone.workFax"),
            ("Mobil-Tel.-Nr.", "phone.mobile"),
            ("Straße privat 2", "address.home.street_2"),
            ("Arbeitsadresse Strasse", "address.work.street"),
            ("Dienstlich: PLZ", "address.work.postal_code"),
            ("Adres służbowy - kod pocztowy", "address.work.postal_code"),
            ("Kod pocztowy (dom)", "address.home.postal_code"),
            ("Land/Region geschäftlich", "address.work.country"),
            ("PLZ/Ort Kombination", "address.postal_code_and_city"),
            ("Mailing Zip/Postal Code", "address.postal_code"),
            ("Address 2", "address.street_2"),
            ("Address Line 1", "address.street"),
            ("Home Address", "address.home.formatted"),
            ("Business Address PO Box", "address.work.po_box"),
            ("Web Page 1", "website"),
            ("Business Web Page", "website.work"),
            ("Strona WWW 2", "website"),
            ("Billing First Name", "name.given"),
            ("Shipping Company", "organization"),
            ("voornaam_verzending", "name.given"),
            ("adres_verz_straat", "address.shipping.street"),
            ("adres_verz_huisnummer_toevoeging", "address.shipping.extended"),
        ] {
            assert_eq!(target(heading).map(|target| target.to_string()).as_deref(), Some(expected), "{heading}");
        }
    }

    #[test]
    fn a_stranger_among_the_words_spoils_the_guess() {
        for heading in [
            "Phone provider",
            "Email opt-in",
            "Last city visited",
            "Car",
            "Main",
            "Other",
            "Code",
            "",
            "E",
            "Company size",
            "Company phone provider",
        ] {
            assert_eq!(target(heading), None, "{heading}");
        }
    }
}
