//! Headings of deals and activities, in English, Polish, German, Spanish and Portuguese.
//!
//! Behind a prefix (`Deal - Value`, `Szansa - Wartość`) the words are plain. Without one, `Value`, `Stage` and `Status`
//! can be anything, so they are the deal's only in a file that says by another heading that it holds deals.

use super::super::entry_target::{ActivityPart, DealPart};
use super::super::target::{NamePart, Target};
use super::spelling::key;
use super::{known, pipedrive};

const DEAL: [(DealPart, &str); 9] = [
    (
        DealPart::Title,
        "title titel tytul titulo name nazwa nombre nome dealtitle dealname geschaftstitel tytulszansy nazwaszansy",
    ),
    (
        DealPart::Value,
        "value amount wert betrag dealwert volumen wartosc kwota valor importe monto dealvalue dealamount \
         wartoscszansy",
    ),
    (
        DealPart::Currency,
        "currency currencyofvalue dealcurrency currencycode wahrung wahrungvonwert wahrungdeswertes waluta \
         walutawartosci moneda moeda divisa",
    ),
    (DealPart::Pipeline, "pipeline dealpipeline lejek lejeksprzedazy embudo funil"),
    (DealPart::Stage, "stage dealstage phase etap etapszansy etapa fase"),
    (DealPart::Status, "status dealstatus stan estado"),
    (
        DealPart::LostReason,
        "lostreason verlustgrund verlorengrund powodutraty powodprzegranej razondeperdida motivodaperda",
    ),
    (
        DealPart::ExpectedClose,
        "expectedclosedate expectedclose expectedclosingdate closedate closingdate erwartetesabschlussdatum \
         voraussichtlichesabschlussdatum erwarteterabschluss abschlussdatum przewidywanadatazamkniecia \
         oczekiwanadatazamkniecia spodziewanadatazamkniecia datazamkniecia fechadecierreprevista \
         fechaprevistadecierre fechadecierre datadefechamentoesperada datadefechamento",
    ),
    (DealPart::Owner, "owner dealowner besitzer wlasciciel opiekun propietario proprietario"),
];

const ACTIVITY: [(ActivityPart, &str); 6] = [
    (ActivityPart::Subject, "subject betreff temat asunto assunto"),
    (ActivityPart::Type, "type typ tipo rodzaj art"),
    (
        ActivityPart::Due,
        "duedate due date falligkeitsdatum falligam fallig termin datum data datawykonania datawymagalnosci \
         fechadevencimiento fecha datadevencimento",
    ),
    (ActivityPart::Time, "duetime time uhrzeit zeit godzina czas hora"),
    (ActivityPart::Done, "done isdone completed erledigt wykonane wykonano ukonczone gotowe hecho concluido"),
    (ActivityPart::Note, "note notes notiz notizen notatka notatki nota notas description beschreibung opis"),
];

/// Headings that name a deal's title without a prefix.
const TITLES: &str = "dealtitle dealname geschaftstitel tytulszansy nazwaszansy";

/// What the other system counts and knows by itself.
const COUNTED: &str = "weightedvalue currencyofweightedvalue creator createdby dealcreated probability \
     nextactivitydate lastactivitydate stagechange laststagechange archivestatus archivetime productquantity \
     productname productamount ersteller tworca utworzono";

/// Reads what stands behind the prefix of a deal. What nobody knows is a custom field of the deal.
pub(super) fn of_deal(rest: &str) -> Target {
    let bare = rest.trim_end_matches('*').trim();
    let key = key(bare);
    if let Some(part) = deal_part(&key) {
        return Target::Deal(part);
    }
    match known::target(bare) {
        Some(Target::Labels) => Target::Deal(DealPart::Labels),
        // In an export of deals the contacts stand beside the deal.
        Some(Target::Organization) => Target::Organization,
        Some(Target::Name(NamePart::Full)) => Target::Name(NamePart::Full),
        Some(Target::Ignore) => Target::Ignore,
        _ if matches!(key.as_str(), "person" | "osoba" | "persona" | "pessoa") => Target::Name(NamePart::Full),
        _ if is_in(COUNTED, &key) || key.is_empty() => Target::Ignore,
        _ => Target::DealCustom(bare.to_owned()),
    }
}

/// Reads what stands behind the prefix of an activity. An activity has no custom fields.
pub(super) fn of_activity(rest: &str) -> Target {
    let key = key(rest);
    ACTIVITY.iter().find(|(_, words)| is_in(words, &key)).map_or(Target::Ignore, |(part, _)| Target::Activity(*part))
}

/// Settles the headings without a prefix, in a file that holds deals.
pub(super) fn settle(headings: &[String], targets: &mut [Option<Target>]) {
    let keys: Vec<String> = headings.iter().map(|heading| key(heading)).collect();
    for (key, target) in keys.iter().zip(&mut *targets) {
        if target.is_none() && is_in(TITLES, key) {
            *target = Some(Target::Deal(DealPart::Title));
        }
    }
    bare_titles(&keys, targets);
    if !targets.contains(&Some(Target::Deal(DealPart::Title))) {
        return;
    }
    contacts_of_deals(headings, targets);
    for (key, target) in keys.iter().zip(targets) {
        let part = deal_part(key).filter(|part| !matches!(part, DealPart::Title | DealPart::Owner));
        if target.is_none() {
            *target = part.map(Target::Deal);
        }
    }
}

/// `Title` beside both a value and a stage is no job title: some exports of deals have no prefixes at all.
fn bare_titles(keys: &[String], targets: &mut [Option<Target>]) {
    let has = |part: DealPart| keys.iter().any(|key| deal_part(key) == Some(part));
    if !(has(DealPart::Value) && (has(DealPart::Stage) || has(DealPart::Pipeline))) {
        return;
    }
    if let Some(at) = keys.iter().position(|key| matches!(key.as_str(), "title" | "titel" | "tytul"))
        && !targets.contains(&Some(Target::Deal(DealPart::Title)))
    {
        targets[at] = Some(Target::Deal(DealPart::Title));
    }
}

/// The contact person and the organization of a deal are the row's own where no other column names them; else they are
/// kept beside the deal.
fn contacts_of_deals(headings: &[String], targets: &mut [Option<Target>]) {
    for wanted in [Target::Name(NamePart::Full), Target::Organization] {
        let of_deal = |at: usize| pipedrive::scope(&headings[at]).0 == pipedrive::Scope::Deal;
        let same: Vec<usize> = (0..targets.len()).filter(|&at| targets[at].as_ref() == Some(&wanted)).collect();
        if same.iter().all(|&at| of_deal(at)) {
            continue;
        }
        for at in same.into_iter().filter(|&at| of_deal(at)) {
            targets[at] = Some(Target::DealCustom(pipedrive::scope(&headings[at]).1.to_owned()));
        }
    }
}

fn deal_part(key: &str) -> Option<DealPart> {
    DEAL.iter().find(|(_, words)| is_in(words, key)).map(|(part, _)| *part)
}

fn is_in(words: &str, key: &str) -> bool {
    words.split_whitespace().any(|word| word == key)
}

#[cfg(test)]
mod tests {
    use super::super::read;

    fn targets(headings: &str) -> String {
        let headings: Vec<String> = headings.split('|').map(str::to_owned).collect();
        let shown = read(&headings).targets.into_iter().map(|target| target.map_or("-".into(), |t| t.to_string()));
        shown.collect::<Vec<String>>().join("|")
    }

    #[test]
    fn a_row_may_hold_a_contact_a_deal_an_activity_and_a_note() {
        for (headings, expected) in [
            (
                "Person - Name*|Organization - Name*|Deal - Title|Deal - Value|Activity - Subject*|Activity - Due date|\
                 Note - Content*",
                "name.full|organization|deal.title|deal.value|activity.subject|activity.due|note",
            ),
            (
                "Deal - Title|Deal - Organization|Deal - Contact person|Deal - Currency of Value|Deal - Stage|\
                 Deal - Owner|Deal - Label|Deal - ID|Deal - Weighted value|Deal - Is Agency?",
                "deal.title|organization|name.full|deal.currency|deal.stage|deal.owner|deal.label|ignore|ignore|\
                 deal.custom.Is Agency?",
            ),
            (
                "Imię i nazwisko|Szansa - Tytuł|Szansa - Wartość|Waluta|Etap|Przewidywana data zamknięcia|Notatka",
                "name.full|deal.title|deal.value|deal.currency|deal.stage|deal.expected_close|notes",
            ),
            (
                "Ansprechpartner|Geschäft - Titel|Wert|Währung|Phase|Status|Erwartetes Abschlussdatum",
                "name.full|deal.title|deal.value|deal.currency|deal.stage|deal.status|deal.expected_close",
            ),
            (
                "Contact|Deal Name|Deal Stage|Amount|Close Date",
                "name.full|deal.title|deal.stage|deal.value|deal.expected_close",
            ),
            (
                "Title|Value|Organization|Pipeline|Contact person|Stage",
                "deal.title|deal.value|organization|deal.pipeline|name.full|deal.stage",
            ),
            ("Person - Name|Deal - Title|Deal - Contact person", "name.full|deal.title|deal.custom.Contact person"),
        ] {
            assert_eq!(targets(headings), expected, "{headings}");
        }
    }

    #[test]
    fn words_of_deals_mean_nothing_in_a_list_of_people() {
        assert_eq!(targets("Name|Title|Status|Value|Amount"), "name.full|job_title|-|-|-");
    }
}
