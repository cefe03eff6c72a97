//! The conformance suite of the `Store` trait: every implementor does the same, or tests of an engine on one of them
//! say nothing about the others. What only one of them does is tested in the module of its name.

mod account;
mod answer;
mod atomic;
mod contact;
mod entry;
mod filter;
mod find;
mod history;
mod lease;
mod link;
mod memory;
mod outbox;
mod outsider;
mod people;
mod photo;
mod random;
mod sqlite;

use std::sync::Arc;

use contactsync::clock::SeededEntropy;
use contactsync::store::memory::MemoryStore;
use contactsync::store::sqlite::SqliteStore;
use contactsync::store::{Committed, Store, StoreError, Write};
use tempfile::TempDir;

use crate::support::values::commit;

fn memory_store() -> MemoryStore {
    MemoryStore::new(&SeededEntropy::new(1))
}

/// A store in a file of a folder that is removed with the second value.
async fn sqlite_store() -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db"), &SeededEntropy::new(1)).await.unwrap();
    (store, folder)
}

/// Commits without fence.
async fn write(store: &dyn Store, writes: Vec<Write>) -> Result<Committed, StoreError> {
    store.commit(commit(writes)).await
}

/// One test per case and implementor.
macro_rules! on_every_store {
    ($($module:ident: $($case:ident),+;)+) => {
        mod conformance {
            $(mod $module {
                $(mod $case {
                    use super::super::super as suite;

                    #[tokio::test]
                    async fn memory() {
                        suite::$module::$case(suite::Arc::new(suite::memory_store())).await;
                    }

                    #[tokio::test]
                    async fn sqlite() {
                        let (store, _folder) = suite::sqlite_store().await;
                        suite::$module::$case(suite::Arc::new(store)).await;
                    }
                })+
            })+
        }
    };
}

type AnyStore = Arc<dyn Store>;

on_every_store! {
    contact:
        a_contact_is_found_as_it_was_stored,
        a_contact_that_exists_is_not_created_again,
        a_write_decided_on_an_older_version_is_refused,
        a_write_of_a_contact_that_does_not_exist_is_refused,
        a_contact_can_be_written_twice_in_one_commit,
        a_change_that_names_another_contact_is_refused,
        keys_follow_the_card_and_go_with_the_contact,
        a_commit_that_expects_no_other_contact_under_a_key_is_refused_when_there_is_one,
        the_feed_names_each_contact_once_at_its_newest_change,
        more_contacts_than_fit_one_statement_are_found;
    entry:
        an_entry_is_found_as_it_was_stored,
        entries_are_selected_by_kind_contact_deal_and_name,
        a_write_decided_on_an_older_version_is_refused_and_leaves_nothing,
        a_name_belongs_to_one_living_entry_of_its_kind,
        what_an_entry_hangs_on_exists,
        the_history_of_a_contact_tells_what_hung_on_it,
        entries_are_no_news_for_accounts;
    find:
        filters_narrow_the_list,
        text_finds_names_mails_phones_and_notes,
        signs_of_patterns_are_only_signs,
        deleted_contacts_are_hidden_unless_asked_for,
        pages_follow_each_other_by_id,
        pages_follow_each_other_by_name,
        words_occur_in_any_value_and_phrases_in_one,
        what_was_edited_is_found_by_what_it_says_now,
        more_than_a_few_are_found_in_order_and_in_pages,
        every_list_is_the_same_in_either_direction_and_any_order,
        a_page_goes_on_where_the_last_contact_stood,
        filters_and_columns_narrow_alike,
        people_are_counted_per_organization;
    filter:
        a_filter_is_found_as_it_was_saved,
        a_name_is_taken_once,
        an_edit_keeps_when_it_was_made,
        a_removed_filter_is_gone;
    history:
        writes_to_remotes_are_history_and_no_news,
        rows_come_newest_first_as_they_were_written,
        rows_are_selected_by_contact_run_place_and_number;
    link:
        a_link_is_found_as_it_was_stored,
        a_contact_has_one_link_per_account,
        a_remote_record_has_one_link_per_account,
        a_token_belongs_to_one_link_for_ever,
        tokens_of_former_incarnations_lead_to_the_link,
        aliases_lead_to_the_link_but_its_own_id_goes_first,
        only_links_without_contact_are_dropped,
        a_dropped_link_leaves_nothing,
        a_link_needs_the_contact_it_names,
        a_link_without_contact_is_found_only,
        an_edit_unsettles_and_a_settled_version_settles,
        links_that_rest_are_settled_whatever_order_they_are_written_in,
        a_sighting_unsettles_a_link,
        unsettled_links_are_listed_in_pages_per_account,
        the_members_of_a_group_are_counted_and_named,
        numbers_count_each_account_alone;
    outbox:
        an_intent_is_found_until_it_is_closed,
        a_link_has_one_open_intent,
        a_marker_is_used_once,
        what_was_meant_outlives_the_intent,
        a_closed_intent_is_not_sent_again,
        an_intent_and_its_meaning_agree,
        markers_grow_even_when_the_clock_goes_back;
    account:
        a_forgotten_account_leaves_nothing_behind_and_unsettles_nobody,
        a_new_epoch_goes_on_after_every_marker_of_the_former,
        an_account_is_found_as_it_was_stored,
        groups_are_replaced_together_with_the_account,
        the_identity_stays;
    answer:
        the_last_word_about_a_couple_counts_until_it_is_taken_back,
        an_answer_is_about_a_contact_that_exists;
    outsider:
        ghosts_are_remembered_per_account,
        strangers_are_known_by_name,
        strangers_are_found_by_any_key,
        a_stranger_is_replaced_and_forgotten;
    people:
        conflicts_wait_oldest_first_until_resolved,
        runs_are_listed_newest_first,
        a_grant_is_replaced_and_forgotten,
        harm_is_remembered_once_for_each_contact_until_it_is_forgotten;
    photo:
        a_photo_is_kept_once_and_for_ever,
        a_refused_commit_keeps_no_photo,
        a_photo_is_due_while_either_side_differs,
        what_is_known_of_a_photo_is_found_as_it_was_stored;
    lease:
        a_lease_is_held_by_one,
        renewing_keeps_the_token,
        an_expired_lease_is_taken_over,
        the_lease_of_a_dead_holder_is_taken_over_at_once,
        a_lease_given_back_is_free_and_the_token_still_grows,
        giving_back_a_lost_lease_changes_nothing,
        nothing_is_written_under_a_lost_lease,
        leases_of_accounts_are_independent;
    atomic:
        a_refused_commit_leaves_nothing,
        a_commit_sees_its_own_writes_in_order,
        an_empty_commit_is_fine;
}
