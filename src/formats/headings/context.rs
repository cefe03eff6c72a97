//! Headings that mean one thing alone and another beside their neighbours.

use super::super::target::{AddressPart, DatePart, Group, NamePart, Target};
use super::spelling::key;
use super::{entries, pipedrive};

/// Settles the ambiguous headings of one file, given what each means alone.
pub(super) fn settle(headings: &[String], targets: &mut [Option<Target>]) {
    let keys: Vec<String> = headings.iter().map(|heading| key(pipedrive::scope(heading).1)).collect();
    company_with_contact_person(headings, targets);
    entries::settle(headings, targets);
    names(headings, &keys, targets);
    second_names(targets);
    titles(&keys, targets);
    birthdays(&keys, targets);
    towns(&keys, targets);
    second_addresses(targets);
    whole_addresses(&keys, targets);
}

/// Whether the file lists companies, with the person to talk to in columns `cp_...`, as Lx-Office exports them.
pub(super) fn is_company_with_contact_person(headings: &[String]) -> bool {
    headings.iter().any(|heading| heading.starts_with("cp_"))
}

/// There, every other column is the company's.
fn company_with_contact_person(headings: &[String], targets: &mut [Option<Target>]) {
    if !is_company_with_contact_person(headings) {
        return;
    }
    for (heading, target) in headings.iter().zip(targets) {
        if heading.starts_with("cp_") {
            continue;
        }
        let own = target.take();
        *target = own.map(|own| match own {
            Target::Ignore => Target::Ignore,
            Target::Name(NamePart::Full) | Target::Organization => Target::Organization,
            own => Target::OfOrganization(Box::new(own)),
        });
    }
}

/// `Name` is a family name beside a given name, a given name beside a family name in Spanish and Portuguese, an
/// organization's name in a list of organizations, else a full name.
fn names(headings: &[String], keys: &[String], targets: &mut [Option<Target>]) {
    let has = |part: NamePart| targets.contains(&Some(Target::Name(part)));
    let (given, family) = (has(NamePart::Given), has(NamePart::Family));
    let lists_organizations = !given && !family && lists_organizations(keys, targets);
    for ((heading, key), target) in headings.iter().zip(keys).zip(targets) {
        if *target != Some(Target::Name(NamePart::Full)) || heading.ends_with('*') {
            continue;
        }
        let part = match key.as_str() {
            "nombre" | "nome" if family && !given => NamePart::Given,
            "name" | "nom" | "naam" if given && !family => NamePart::Family,
            "name" | "nazwa" | "nombre" | "nome" if lists_organizations => {
                *target = Some(Target::Organization);
                continue;
            }
            _ => NamePart::Full,
        };
        *target = Some(Target::Name(part));
    }
}

/// Shops export a name for the invoice and one for the parcel. The first is the contact's, the others stay beside it.
fn second_names(targets: &mut [Option<Target>]) {
    for part in [NamePart::Given, NamePart::Family] {
        let same = targets.iter_mut().filter(|target| **target == Some(Target::Name(part)));
        same.skip(1).for_each(|target| *target = None);
    }
}

/// A list of organizations has columns that only organizations have, and nothing that only persons have.
fn lists_organizations(keys: &[String], targets: &[Option<Target>]) -> bool {
    const OF_ORGANIZATIONS: [&str; 9] = [
        "annualrevenue",
        "numberofemployees",
        "employees",
        "industry",
        "mitarbeiter",
        "umsatz",
        "branche",
        "branza",
        "liczbapracownikow",
    ];
    let of_persons = targets.iter().flatten().any(|target| {
        matches!(
            target,
            Target::Organization | Target::JobTitle | Target::Department | Target::Birthday | Target::Email { .. }
        )
    });
    !of_persons && keys.iter().any(|key| OF_ORGANIZATIONS.contains(&key.as_str()))
}

/// `Title` is the `Dr.` where another column holds the job or where the file is tine's; alone it is the job.
fn titles(keys: &[String], targets: &mut [Option<Target>]) {
    let is_title = |key: &str| key == "title";
    let has_job = keys.iter().zip(&*targets).any(|(key, target)| *target == Some(Target::JobTitle) && !is_title(key));
    if !has_job && !keys.iter().any(|key| key == "ngiven") {
        return;
    }
    for (key, target) in keys.iter().zip(targets) {
        if is_title(key) && *target == Some(Target::JobTitle) {
            *target = Some(Target::Name(NamePart::Prefix));
        }
    }
}

/// Thunderbird: `Birth Day` is the day beside `Birth Month`, and so is `Geburtstag` beside `Geburtsmonat`.
fn birthdays(keys: &[String], targets: &mut [Option<Target>]) {
    if !targets.contains(&Some(Target::BirthdayPart(DatePart::Month))) {
        return;
    }
    for (key, target) in keys.iter().zip(targets) {
        if matches!(key.as_str(), "birthday" | "geburtstag") {
            *target = Some(Target::BirthdayPart(DatePart::Day));
        }
    }
}

/// German Outlook has `Ort` for "where it is" beside the towns of its addresses.
fn towns(keys: &[String], targets: &mut [Option<Target>]) {
    let labelled = targets
        .iter()
        .flatten()
        .any(|target| matches!(target, Target::Address { label: Some(_), part: AddressPart::City, .. }));
    if !labelled {
        return;
    }
    for (key, target) in keys.iter().zip(targets) {
        if key == "ort" {
            *target = None;
        }
    }
}

/// `Street 2` is a second line, unless there is a `City 2` as well.
fn second_addresses(targets: &mut [Option<Target>]) {
    let groups: Vec<Group> = targets
        .iter()
        .flatten()
        .filter_map(|target| if let Target::Address { group, .. } = target { Some(group.clone()) } else { None })
        .collect();
    for target in targets.iter_mut().flatten() {
        let Target::Address { group, part: part @ AddressPart::StreetLine(_), .. } = target else { continue };
        let AddressPart::StreetLine(line) = *part else { continue };
        let own = Group::named(format!("{} {line}", group.0));
        if groups.contains(&own) {
            (*group, *part) = (own, AddressPart::Street);
        }
    }
}

/// Pipedrive has `Address` beside `City/town/village/locality of Address`: the whole beside its parts.
fn whole_addresses(keys: &[String], targets: &mut [Option<Target>]) {
    let named: Vec<Group> =
        targets.iter().flatten().filter_map(|target| address(target)).map(|(group, _)| group.clone()).collect();
    for (key, target) in keys.iter().zip(targets) {
        let whole = named.iter().find(|group| !group.0.is_empty() && super::key(&group.0) == *key);
        if let (Some(whole), Some((group, AddressPart::Formatted))) = (whole, target.as_mut().and_then(address_mut)) {
            *group = whole.clone();
        }
    }
}

fn address(target: &Target) -> Option<(&Group, AddressPart)> {
    match target {
        Target::Address { group, part, .. } => Some((group, *part)),
        Target::OfOrganization(inner) => address(inner),
        _ => None,
    }
}

fn address_mut(target: &mut Target) -> Option<(&mut Group, AddressPart)> {
    match target {
        Target::Address { group, part, .. } => Some((group, *part)),
        Target::OfOrganization(inner) => address_mut(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    fn targets(headings: &str) -> String {
        let headings: Vec<String> = headings.split('|').map(str::to_owned).collect();
        let shown = read(&headings).targets.into_iter().map(|target| target.map_or("-".into(), |t| t.to_string()));
        shown.collect::<Vec<String>>().join("|")
    }

    #[test]
    fn neighbours_decide_what_a_heading_means() {
        for (headings, expected) in [
            ("Title|Name", "job_title|name.full"),
            ("Title|Job Title", "name.prefix|job_title"),
            ("Salutation|Title|First Name", "name.prefix|job_title|name.given"),
            ("salutation|title|n_given|role", "name.prefix|name.prefix|name.given|job_title"),
            ("Vorname|Name", "name.given|name.family"),
            ("Vorname|Nachname|Name", "name.given|name.family|name.full"),
            ("Persona - Nombre *|Persona - Nombre|Persona - Apellidos", "name.full|name.given|name.family"),
            ("Pessoa - Nome|Pessoa - Telefone", "name.full|phone"),
            ("Name|Address|Industry", "organization|address.formatted|industry"),
            ("Name|Email|Industry", "name.full|email|industry"),
            ("Ort geschäftlich|Ort", "address.work.city|-"),
            ("PLZ|Ort", "address.postal_code|address.city"),
            ("Geburtsmonat|Geburtstag|Geburtsjahr", "birthday.month|birthday.day|birthday.year"),
            (
                "name|street|cp_name|cp_givenname|cp_email",
                "organization|organization.address.street|name.family|name.given|email",
            ),
        ] {
            assert_eq!(targets(headings), expected, "{headings}");
        }
    }

    #[test]
    fn a_second_town_makes_a_second_address() {
        let headings: Vec<String> = ["Street", "City", "Street 2", "City 2"].map(str::to_owned).to_vec();
        let groups: Vec<String> = read(&headings)
            .targets
            .into_iter()
            .flatten()
            .filter_map(|target| if let Target::Address { group, .. } = target { Some(group.0) } else { None })
            .collect();
        assert_eq!(groups, ["", "", " 2", " 2"]);
        assert_eq!(targets("Street|City|Street 2"), "address.street|address.city|address.street_2");
    }
}
