//! Stories of two members and a hub, as real processes on this machine.

#![cfg(test)]

mod alerts;
mod backup;
mod canary;
mod clones;
mod desk;
mod erasure;
mod exchange;
mod faults;
mod files;
mod flood;
mod in_hand;
mod kill;
mod lies;
mod matching;
mod membership;
mod network;
mod points;
mod register;
mod restart;
mod storage;
mod succession;
mod successor;
mod term;
mod trust;
mod void;
mod wire;

use raccordo_tests::federation::{Database, Setting};

macro_rules! on_database {
    ($name:ident, $database:expr; $($file:ident { $($story:ident)+ })+) => {
        mod $name {
            $(mod $file {
                $(#[tokio::test]
                async fn $story() -> anyhow::Result<()> {
                    crate::$file::$story(crate::Setting::on($database)).await
                })+
            })+
        }
    };
}

macro_rules! stories {
    ($($stories:tt)+) => {
        on_database!(sqlite, crate::Database::Sqlite; $($stories)+);
        on_database!(postgres, crate::Database::Postgres; $($stories)+);
    };
}

on_database!(disks, crate::Database::Sqlite; storage {
    a_member_s_full_disk a_hub_s_full_disk a_disk_that_fails_to_flush told_at_the_start
});
on_database!(flooded, crate::Database::Sqlite; flood { by_every_call });
on_database!(servers, crate::Database::Postgres; storage { a_read_only_server a_full_server });

stories! {
    exchange { two_regions_exchange_alerts the_classical_suite }
    restart { each_of_the_three the_hub_is_away the_same_ids_twice a_long_absence }
    trust { a_member_in_doubt a_revoked_member a_revoked_hub a_stranger }
    succession { new_cards_for_everybody a_member_was_away }
    term { handed_over_and_lost }
    successor { the_equipe_goes_on }
    void { the_others_go_on }
    membership { a_third_region_comes_and_goes }
    kill { a_hundred_times while_founding }
    canary { the_hub_learns_nothing }
    desk {
        an_alert_from_page_to_page nobody_gets_in_by_another_way signing_in_at_the_region
        everybody_sees_only_their_own told_by_email
    }
    register { a_killed_import_goes_on the_register_is_sealed }
    erasure { nothing_is_left }
    matching { the_same_worker_and_company }
    lies {
        an_honest_hub withholding forking reordering truncating replaying false_checkpoints
        false_entries a_false_tree
    }
    network { a_member_and_the_hub_are_cut_off a_bad_wire }
    faults { the_hub_stands_still a_member_stands_still the_hub_restarts_amid_traffic }
    points {
        of_an_alert of_a_withdrawal of_an_update of_a_return of_the_returner of_a_newcomer
        of_a_hand_over
    }
    clones { both_copies_run an_older_copy_is_put_back }
    wire { bad_frames replays strangers }
    backup { back_on_a_new_machine damaged_stolen_and_misused killed_half_way }
    files { the_daemon_refuses a_newer_schema an_unreachable_database the_command_line_refuses }
}

#[tokio::test]
async fn the_database_server_crashes_under_load() -> anyhow::Result<()> {
    faults::the_database_server_crashes(Setting::on(Database::Postgres)).await
}
