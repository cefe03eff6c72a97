//! Pipedrive's exports and import templates: `Person - Email - Work`, `Person - Email (Work)`, `Organization - Name*`,
//! `City/town/village/locality of Company Address`, in the language of the user who exported.
//!
//! Columns of deals and activities are read as `entries` says. Those of leads, products and projects are none of ours.

use super::super::target::{AddressPart, Group, NamePart, Target};
use super::entries;
use super::spelling::key;

/// Whose column it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// No prefix.
    None,
    Person,
    Organization,
    Note,
    Deal,
    Activity,
    /// Leads and the like.
    Foreign,
}

const PREFIXES: [(&str, Scope); 48] = [
    ("person", Scope::Person),
    ("persona", Scope::Person),
    ("pessoa", Scope::Person),
    ("osoba", Scope::Person),
    ("personne", Scope::Person),
    ("persoon", Scope::Person),
    ("people", Scope::Person),
    ("contact", Scope::Person),
    ("kontakt", Scope::Person),
    ("contactperson", Scope::Person),
    ("organization", Scope::Organization),
    ("organisation", Scope::Organization),
    ("organizacion", Scope::Organization),
    ("organizacao", Scope::Organization),
    ("organizacja", Scope::Organization),
    ("organisatie", Scope::Organization),
    ("organizzazione", Scope::Organization),
    ("company", Scope::Organization),
    ("empresa", Scope::Organization),
    ("note", Scope::Note),
    ("nota", Scope::Note),
    ("notiz", Scope::Note),
    ("notatka", Scope::Note),
    ("deal", Scope::Deal),
    ("lead", Scope::Foreign),
    ("activity", Scope::Activity),
    ("product", Scope::Foreign),
    ("project", Scope::Foreign),
    ("trato", Scope::Deal),
    ("negocio", Scope::Deal),
    ("prospecto", Scope::Foreign),
    ("actividad", Scope::Activity),
    ("producto", Scope::Foreign),
    ("proyecto", Scope::Foreign),
    ("projecto", Scope::Foreign),
    ("atividade", Scope::Activity),
    ("produto", Scope::Foreign),
    ("projeto", Scope::Foreign),
    ("aktivitat", Scope::Activity),
    ("produkt", Scope::Foreign),
    ("projekt", Scope::Foreign),
    ("szansa", Scope::Deal),
    ("szansasprzedazy", Scope::Deal),
    ("geschaft", Scope::Deal),
    ("opportunity", Scope::Deal),
    ("dzialanie", Scope::Activity),
    ("zadanie", Scope::Activity),
    ("aktywnosc", Scope::Activity),
];

/// The parts Pipedrive divides an address into. District and flat go beside the street.
const ADDRESS_PARTS: [(&str, Option<AddressPart>); 12] = [
    ("streetroadname", Some(AddressPart::Street)),
    ("housenumber", Some(AddressPart::HouseNumber)),
    ("apartmentsuiteno", Some(AddressPart::Extended)),
    ("districtsublocality", Some(AddressPart::Extended)),
    ("citytownvillagelocality", Some(AddressPart::City)),
    ("statecounty", Some(AddressPart::Region)),
    ("region", Some(AddressPart::Region)),
    ("country", Some(AddressPart::Country)),
    ("zippostalcode", Some(AddressPart::PostalCode)),
    ("fullcombinedaddress", Some(AddressPart::Formatted)),
    ("latitude", None),
    ("longitude", None),
];

/// Splits the prefix off: `Person - Name*` is the person's `Name*`.
pub(super) fn scope(heading: &str) -> (Scope, &str) {
    let split = heading.split_once(" - ").or_else(|| Some(("cp", heading.strip_prefix("cp_")?)));
    match split {
        // Lx-Office names the columns of the contact person this way.
        Some(("cp", rest)) => (Scope::Person, rest),
        Some((prefix, rest)) => match PREFIXES.iter().find(|(known, _)| *known == key(prefix)) {
            Some((_, scope)) => (*scope, rest.trim()),
            None => (Scope::None, heading),
        },
        None => (Scope::None, heading),
    }
}

/// Reads a heading with a prefix, or an address part; `None` when it is neither, or when its rest is not known.
pub(super) fn target(heading: &str) -> Option<Target> {
    let (scope, rest) = scope(heading);
    let inner = || address(rest).or_else(|| super::plain(rest));
    match scope {
        Scope::None => address(heading),
        Scope::Foreign => Some(Target::Ignore),
        Scope::Deal => Some(entries::of_deal(rest)),
        Scope::Activity => Some(entries::of_activity(rest)),
        Scope::Note => {
            Some(if matches!(key(rest).as_str(), "content" | "contenido" | "conteudo" | "inhalt" | "tresc") {
                Target::Note
            } else {
                Target::Ignore
            })
        }
        // The star marks the required column: the full name, where `Nombre` alone is the given name.
        Scope::Person if rest.ends_with('*') && is_name(rest) => Some(Target::Name(NamePart::Full)),
        Scope::Person => inner(),
        Scope::Organization if is_name(rest) => Some(Target::Organization),
        Scope::Organization => Some(match inner()? {
            Target::Ignore => Target::Ignore,
            Target::Organization | Target::Name(_) => Target::Organization,
            inner => Target::OfOrganization(Box::new(inner)),
        }),
    }
}

fn is_name(rest: &str) -> bool {
    matches!(key(rest).as_str(), "name" | "nombre" | "nome" | "nom" | "nazwa" | "naam")
}

fn address(heading: &str) -> Option<Target> {
    let (part, field) = heading.split_once(" of ")?;
    let (_, part) = ADDRESS_PARTS.iter().find(|(known, _)| *known == key(part))?;
    Some(match part {
        Some(part) => Target::Address { label: None, group: Group::named(field.trim()), part: *part },
        None => Target::Ignore,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_say_whose_column_it_is() {
        for (heading, expected) in [
            ("Person - Name*", "name.full"),
            ("Person - Email - Work", "email.work"),
            ("Person - Email (Home)", "email.home"),
            ("Person - Phone - Mobile", "phone.mobile"),
            ("Person - Organization", "organization"),
            ("Organization - Name*", "organization"),
            ("Organization - Address", "organization.address.formatted"),
            ("Organization - ZIP/Postal code of Company Address", "organization.address.postal_code"),
            ("Organization - Open deals", "ignore"),
            ("Latitude of Address", "ignore"),
            ("House number of Address", "address.house_number"),
            ("Persona - Nombre *", "name.full"),
            ("Persona - Apellidos", "name.family"),
            ("Persona - Teléfono (sugeridos)", "phone"),
            ("Persona - Correo electrónico (sugeridos)", "email"),
            ("Pessoa - Nome", "name.full"),
            ("Organização - Nome", "organization"),
            ("Deal - Title", "deal.title"),
            ("Actividad - Asunto", "activity.subject"),
            ("Projecto - Fecha de inicio", "ignore"),
            ("Note - Content*", "note"),
            ("Nota - Contenido *", "note"),
        ] {
            assert_eq!(target(heading).map(|target| target.to_string()).as_deref(), Some(expected), "{heading}");
        }
        assert_eq!(target("Person - Favourite colour"), None);
        assert_eq!(target("Adres domowy - ulica"), None);
    }
}
