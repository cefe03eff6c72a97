//! Headings known by heart, of programs whose exports people bring: Outlook (English, German, Polish), Thunderbird,
//! Windows Live Mail, the Mac's address book, Google, LinkedIn, Salesforce, HubSpot, tine, Lx-Office, and what people
//! write above their own lists.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::super::target::{AddressPart, Target};
use super::spelling::key;

/// Each target, as text, with the headings that mean it, between bars.
pub(super) const KNOWN: &[(&str, &str)] = &[
    (
        "name.full",
        "Name | Full name | Display name | Contact name | Contact person | Contact | Vollständiger Name | \
         Anzeigename | Ansprechpartner | Kontaktperson | Imię i nazwisko | Nazwa | Wyświetlana nazwa | \
         Osoba kontaktowa | Nombre | Nombre completo | Nome | Nome completo | Naam | n_fn | fn",
    ),
    ("name.prefix", "Name prefix | Prefix | Salutation | Anrede | Titel | Tytuł | n_prefix | Honorific"),
    (
        "name.given",
        "First name | Firstname | Given name | Forename | Christian name | Vorname | Vornamen | Imię | \
         Imiona | Prénom | Primer nombre | Primeiro nome | Voornaam | n_given | givenname | cp_givenname",
    ),
    (
        "name.middle",
        "Middle name | Additional name | Weitere Vornamen | 2. Vorname | Zweiter Vorname | Drugie imię | \
         Segundo nombre | n_middle",
    ),
    (
        "name.family",
        "Last name | Lastname | Family name | Surname | Nachname | Familienname | Nazwisko | Apellidos | \
         Apellido | Sobrenome | Último nome | Nom de famille | Achternaam | n_family",
    ),
    ("name.suffix", "Name suffix | Suffix | Namenszusatz | Sufiks | n_suffix"),
    ("nickname", "Nickname | Nick name | Spitzname | Rufname | Pseudonim | Przydomek | Alias | Apodo | Apelido"),
    (
        "organization",
        "Organization | Organisation | Organization name | Organisation name | Company | Company name | \
         Account name | Associated company | Employer | Supplier name | Customer name | Business name | \
         Firma | Firmenname | Unternehmen | Firma/Organizacja | Nazwa firmy | Organizacja | \
         Przedsiębiorstwo | Pracodawca | Empresa | Organización | Organização | Société | Entreprise | \
         Bedrijf | Bedrijfsnaam | Firma/Firmenname | org_name | org | Store name",
    ),
    (
        "job_title",
        "Job title | Title | Position | Role | Function | Occupation | Stanowisko | Funkcja | \
         Berufsbezeichnung | Funktion | Arbeitstitel | Cargo | Puesto | Fonction | Poste | Functie | \
         Organization title",
    ),
    (
        "department",
        "Department | Organization department | Abteilung | Dział | Departament | Departamento | Afdeling | \
         org_unit | department_1",
    ),
    ("industry", "Industry | Branche | Branża | Sector | Industria | Secteur"),
    (
        "birthday",
        "Birthday | Birth date | Birthdate | Date of birth | Dob | Geburtstag | Geburtsdatum | Urodziny | \
         Data urodzenia | Cumpleaños | Fecha de nacimiento | Data de nascimento | Date de naissance | \
         Anniversaire | Geboortedatum | Verjaardag | bday",
    ),
    ("birthday.year", "Birth year | Geburtsjahr | Urodziny - Rok"),
    ("birthday.month", "Birth month | Geburtsmonat | Urodziny - Miesiąc"),
    ("birthday.day", "Urodziny - Dzień"),
    ("event.anniversary", "Anniversary | Jahrestag | Hochzeitstag | Rocznica"),
    (
        "email",
        "Primary email | E-Mail: Adresse | E-mail 2: Adresse | E-mail 3: Adresse | Podstawowy e-mail | \
         Dodatkowy e-mail | cp_email",
    ),
    ("email.home", "email_home"),
    ("phone.home", "Home"),
    ("phone", "Primary phone | Haupttelefon | Telefon podstawowy | tel_prefer | Contact number | Phone/Fax"),
    (
        "phone.main",
        "Company main phone | Main phone | Hauptnummer | Telefon Firma | Główny telefon do firmy | \
         Company phone",
    ),
    ("phone.other", "Other phone | Andere Telefonnummer | tel_other"),
    ("phone.assistant", "Assistant's phone | Assistants phone | Telefon Assistent | Telefon asystenta | tel_assistent"),
    ("phone.callback", "Callback | Rückmeldung | Wywołanie zwrotne"),
    ("phone.car", "Car phone | Autotelefon | Telefon w samochodzie | tel_car"),
    ("phone.mobile", "Numer telefonu komórkowego | cp_mobile1 | cp_mobile2 | Mobile1 | Mobile2 | Mobile number"),
    ("phone.radio", "Radio phone | Radiotelefon"),
    ("phone.ISDN", "ISDN"),
    ("phone.TTY/TDD", "TTY/TDD phone | Telefon für Hörbehinderte | Telefon TTY/TDD"),
    ("phone.work", "Office | Work | Direct phone | Tel. dienstlich | Telefonu służbowy"),
    ("phone.fax", "Fax number | Numer faksu"),
    ("phone.workFax", "tel_fax"),
    ("address.formatted", "Full address | Address formatted | Anschrift | Dirección | Endereço"),
    ("address.street", "Straße/Nr. | Strasse und Hausnummer | Ulica i numer"),
    ("address.extended", "Extended address | Adresszusatz | Complemento"),
    ("address.work.street", "adr_one_street | Adres służbowy - ulica"),
    ("address.work.street_2", "adr_one_street2"),
    ("address.work.city", "adr_one_locality"),
    ("address.work.region", "adr_one_region"),
    ("address.work.postal_code", "adr_one_postalcode"),
    ("address.work.country", "adr_one_countryname"),
    ("address.work.po_box", "Business Address PO Box | Postfach geschäftlich | Służbowa skrzynka pocztowa"),
    ("address.home.street", "adr_two_street | Privatadresse Strasse"),
    ("address.home.street_2", "adr_two_street2 | Adres domowy - ulica (2)"),
    ("address.home.city", "adr_two_locality"),
    ("address.home.region", "adr_two_region"),
    ("address.home.postal_code", "adr_two_postalcode"),
    ("address.home.country", "adr_two_countryname"),
    ("address.home.po_box", "Home Address PO Box | Postfach privat | Domowa skrzynka pocztowa"),
    ("address.other.po_box", "Other Address PO Box | Weiteres Postfach | Inna skrzynka pocztowa"),
    ("address.other.street", "Andere Adr. Strasse | Weitere Straße | Inny adres - ulica"),
    ("address.other.city", "Andere Adr. Stadt | Weiterer Ort"),
    ("address.other.region", "Andere Adr. Bundesland | Weiteres/r Bundesland/Kanton"),
    ("address.other.postal_code", "Andere Adr. PLZ | Weitere Postleitzahl"),
    ("address.other.country", "Andere Adr. Land | Weiteres/e Land/Region"),
    (
        "website",
        "Web page | Webseite | Strona sieci Web | Internet | Domain name | Company domain name | Sitio web | \
         Site internet | cp_homepage",
    ),
    ("website.home", "url_home | Osobista strona sieci Web"),
    ("website.work", "Firmowa strona sieci Web"),
    ("website.linkedin", "LinkedIn | LinkedIn profile | LinkedIn URL | LinkedIn-Profil"),
    ("website.facebook", "Facebook | Facebook URL"),
    ("website.xing", "Xing | Xing-Profil"),
    ("im.aim", "AIM | Screen name | Messenger-Name | Komunikator AIM"),
    ("im.aim.work", "Arbeit AIM"),
    ("im.aim.home", "Privat AIM"),
    ("im.jabber", "Jabber | XMPP"),
    ("im.jabber.work", "Arbeit Jabber"),
    ("im.jabber.home", "Privat Jabber"),
    ("im.msn", "MSN"),
    ("im.msn.work", "Arbeit MSN"),
    ("im.msn.home", "Privat MSN"),
    ("im.yahoo", "Yahoo"),
    ("im.yahoo.work", "Arbeit Yahoo"),
    ("im.yahoo.home", "Privat Yahoo"),
    ("im.icq", "ICQ"),
    ("im.icq.work", "Arbeit ICQ"),
    ("im.icq.home", "Privat ICQ"),
    ("im.skype", "Skype | Skype name"),
    ("im.signal", "Signal"),
    ("im.telegram", "Telegram"),
    ("im.whatsApp", "WhatsApp"),
    ("relation.spouse", "Spouse | Ehepartner | Współmałżonek | Partner"),
    ("relation.child", "Children | Kinder | Dzieci"),
    (
        "relation.manager",
        "Manager's name | Managers name | Manager | Name des/der Vorgesetzten | Name des/r Vorgesetzten | \
         Vorgesetzter | Menedżer",
    ),
    (
        "relation.assistant",
        "Assistant's name | Assistants name | Name Assistent | Assistent(in) | Imię i nazwisko asystenta | \
         assistent",
    ),
    ("relation.referredBy", "Referred by | Empfohlen von | Osoba polecająca"),
    (
        "notes",
        "Notes | Note | Comment | Comments | Remarks | Description | Notizen | Notiz | Bemerkung | \
         Bemerkungen | Anmerkung | Anmerkungen | Kommentar | Notatki | Notatka | Uwagi | Komentarz | Notas | \
         Observações | Observaciones | Remarques | Opmerkingen",
    ),
    (
        "label",
        "Labels | Label | Tags | Tag | Group membership | Groups | Group | Categories | Category | \
         Kategorien | Kategorie | Etiketten | Schlagwörter | Gruppen | Gruppe | Etykiety | Etykieta | \
         Kategoria | Grupy | Grupa | Etiquetas | Etiqueta | Marcadores | Categorías",
    ),
    (
        "owner",
        "Owner | Contact owner | Account owner | Besitzer | Verantwortlicher | Właściciel | Opiekun | \
         Propietario | Proprietário",
    ),
    // Identifiers of other systems and what hangs on them.
    (
        "ignore",
        "ID | Record ID | UID | UUID | GUID | Contact ID | Person ID | Organization ID | Associated deal | \
         Associated deal IDs | Deal ID | Lead ID | Contact person ID | Owner ID | User ID | container_id | \
         account_id | primary_group_id | additional_groups | ETag",
    ),
    // Counters and times that the other system keeps by itself.
    (
        "ignore",
        "Open deals | Won deals | Lost deals | Closed deals | Total activities | Done activities | \
         Activities to do | Email messages count | People | Next activity date | Last activity date | \
         Last email received | Last email sent | Create date | Created | Created at | Created date | \
         Created time | Add time | Update time | Updated | Updated at | Modified | Last modified | \
         Last modified date | Person created | Organization created | Visible to | Utworzono | Erstellt | \
         Geändert",
    ),
    // Pictures and places on the map.
    (
        "ignore",
        "Photo | Profile picture | Picture | Image | Avatar | Foto | Zdjęcie | adr_one_lon | adr_one_lat | \
         adr_two_lon | adr_two_lat",
    ),
    // What mail programs need for themselves.
    (
        "ignore",
        "Private | Privat | Prywatne | Priority | Priorität | Priorytet | Sensitivity | Vertraulichkeit | \
         Charakter | Directory server | Verzeichnisserver | Serwer katalogowy | Internet free busy | \
         Internet-Frei/Gebucht | Internet Frei/Gebucht | Internetowe informacje wolny/zajęty | E-mail type | \
         E-mail 2 type | E-mail 3 type | E-Mail-Typ | E-Mail 2: Typ | E-Mail 3: Typ | Typ poczty e-mail | \
         Rodzaj e-mail 2 | Rodzaj e-mail 3 | E-mail display name | E-mail 2 display name | \
         E-mail 3 display name | E-Mail: Angezeigter Name | E-Mail 2: Angezeigter Name | \
         E-Mail 3: Angezeigter Name | Wyświetlana nazwa e-mail | Wyświetlana nazwa e-mail 2 | \
         Wyświetlana nazwa e-mail 3 | Initials | Initialen | Inicjały | n_fileas | File as | calendar_uri | \
         freebusy_uri | pubkey | tz",
    ),
    // Never ours to keep.
    ("ignore", "Password | Passwort | Hasło | loginname"),
    // What a skip file of ours adds.
    ("ignore", "Rejected line | Rejected because"),
];

static BY_KEY: LazyLock<BTreeMap<String, Target>> = LazyLock::new(|| {
    let parsed = |target: &str| target.parse::<Target>().ok();
    KNOWN
        .iter()
        .filter_map(|(target, headings)| parsed(target).map(|target| (target, headings)))
        .flat_map(|(target, headings)| headings.split('|').map(move |heading| (key(heading), target.clone())))
        .collect()
});

/// Looks a heading up; a number at its end may be missing in the table: `Nickname 2`.
pub(super) fn target(heading: &str) -> Option<Target> {
    let key = key(heading);
    if key.is_empty() {
        return None;
    }
    BY_KEY.get(&key).cloned().or_else(|| numbered(&key))
}

/// A second street is a second line of it; other fields hold several values anyway.
fn numbered(key: &str) -> Option<Target> {
    let name = key.trim_end_matches(|c: char| c.is_ascii_digit());
    let number: Option<u8> = key[name.len()..].parse().ok();
    let mut target = BY_KEY.get(name).cloned()?;
    if let (Target::Address { part: part @ AddressPart::Street, .. }, Some(line @ 2..)) = (&mut target, number) {
        *part = AddressPart::StreetLine(line);
    }
    Some(target)
}

/// All keys with their targets, for headings that are damaged.
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static Target)> {
    BY_KEY.iter().map(|(key, target)| (key.as_str(), target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_names_a_target() {
        for (target, headings) in KNOWN {
            assert!(target.parse::<Target>().is_ok(), "{target}");
            assert!(!headings.is_empty(), "{target}");
        }
    }

    #[test]
    fn no_heading_means_two_things() {
        let mut seen = BTreeMap::new();
        for (target, headings) in KNOWN {
            for heading in headings.split('|') {
                if let Some(before) = seen.insert(key(heading), *target) {
                    assert_eq!(before, *target, "{heading}");
                }
            }
        }
    }
}
