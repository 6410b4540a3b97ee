//! One contract for every store: each case runs on memory, SQLite and PostgreSQL, each time
//! on a fresh database.

#![cfg(test)]

mod account;
mod archive;
mod audit_head;
mod backend;
mod crash;
mod directory;
mod draft;
mod email_notice;
mod equipe;
mod history;
mod honesty;
mod hub;
mod inbox;
mod keys;
mod ledger;
mod live;
mod matching;
mod membership;
mod node;
mod object;
mod offer;
mod outbox;
mod pact;
mod peer;
mod register;
mod rejoin;
mod sample;
mod served;
mod sql;
mod successor;
mod term;
mod token;
mod token_request;
mod transaction;
mod unfit;
mod visit;
mod void;

macro_rules! on_backend {
    ($backend:ident; $($file:ident { $($case:ident)+ })+) => {
        mod $backend {
            $(mod $file {
                $(#[tokio::test]
                async fn $case() -> anyhow::Result<()> {
                    let backend = crate::backend::$backend().await?;
                    crate::$file::$case(backend.store).await
                })+
            })+
        }
    };
}

macro_rules! contract {
    ($($cases:tt)+) => {
        on_backend!(memory; $($cases)+);
        on_backend!(sqlite; $($cases)+);
        on_backend!(postgres; $($cases)+);
    };
}

contract! {
    node { written_once secrets own_cards audit_chain mailbox_cursors mail own_key_packages boots }
    peer { put_and_replace former_cards }
    directory { organisations operators }
    account { written_and_replaced people_at_the_provider invitations sessions }
    email_notice { wishes seen }
    visit { written_and_replaced newest_positions }
    draft { kept_replaced_and_gone }
    pact { put_and_replace }
    ledger { scopes_apart many_rows }
    membership { proposals replays key_updates leavers }
    rejoin { requests all_is_queued_again }
    equipe { found_by_its_names update_keeps_version raised names_are_unique members alarms }
    outbox {
        queued_in_order case_bearing_waits under_way packed_and_unpacked blanked_with_their_record placed forgotten_once_delivered
        entries_in_order entry_updated pending_commit stale_entries positions_apart
    }
    audit_head { of_each_day }
    honesty { stretches_ascend_and_go claims_are_kept_first proofs_are_kept_once own_places }
    term { entries_are_kept_and_go hub_moves own_entries_are_unplaced }
    successor { one_of_each_group objects_beyond_its_beginning }
    void { groups_before_a_commit stray_commits }
    inbox { seen_once set_aside_once set_aside_forgotten chunks refusals_and_reads }
    object {
        positions_grow taken_ids many_among updated listed newest_first refused expired reports
        reads_are_told_once
    }
    keys { duties sharings_and_shares ceremonies budgets }
    token_request { wanted_newest_first requests_and_answers }
    register {
        wrapping_keys records_and_values found_by_digest listed cases_change erased wrapped_anew
        imports
    }
    token { tokens tokened_records pairs own_tags received_tags }
    matching {
        record_objects matches matches_that_people_meet match_events stop_values operator_phones
    }
    hub {
        carried_rows mail_loads log_found log_after_bounds log_trimmed log_deleted
        cursors_never_go_back trees mailboxes mailbox_places_never_return pool_order expiry
        a_log_gets_another_id
    }
    offer { kept_and_decided copies_of_each_party bounded_and_expiring }
    history { ascending_and_cut_back }
    served { known_by_id_and_replaced conflicts }
    transaction {
        dropped_is_rolled_back begun_for_nobody after_exists_usable readers_do_not_write readers_see_one_state
        no_raise_is_lost writers_of_two_equipes large_values
    }
    unfit { numbers_of_more_than_63_bits texts_with_zero_bytes nothing_follows_a_refusal }
}
