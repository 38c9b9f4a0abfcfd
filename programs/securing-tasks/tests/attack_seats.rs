//! Attack: seats by leaving. Stake that asks to leave between a submission and its accusation still votes on it, but isn't in what the
//! seats are drawn in proportion to.

mod common;

use common::*;
use securing_tasks::{state::Audit, RulesArgs};

const SEATS: u16 = 10;

/// Seats on average of nodes of these weights.
fn seats(weights: &[u64], eligible: u64) -> f64 {
    let chance = |weight: &u64| (*weight as f64 * f64::from(SEATS) / eligible as f64).min(1.0);
    weights.iter().map(chance).sum()
}

/// Forty of a hundred, in twenty nodes, against sixty in five.
#[test]
fn leaving_before_the_accusation_gains_no_seats() {
    let mut game = Game::new(RulesArgs {
        panel_seats: SEATS,
        ..panelled()
    });
    let accused = game.worker(1_000_000);
    let honest: Vec<_> = (0..5).map(|_| game.witness(12_000_000)).collect();
    let coalition: Vec<_> = (0..20).map(|_| game.witness(2_000_000)).collect();
    game.warp(START + 1);
    game.submit_work(&accused, 0).unwrap();
    let submitted = game.slot();
    game.warp(START + 2);
    for node in &coalition {
        game.request_leave(node, None).unwrap();
    }
    let at = game.next_audit(&coalition[0], &accused, 0);
    game.open_audit(&coalition[0], &accused, 0, 2).unwrap();

    let eligible = game.get::<Audit>(&at).seat_stake.get();
    let rules = game.task().rules;
    let weights = |actors: &[Actor]| -> Vec<u64> {
        let weigh = |actor| game.node(actor).weight_on(submitted, &rules).unwrap();
        actors.iter().map(weigh).collect()
    };
    let (honest, coalition) = (weights(&honest), weights(&coalition));
    println!(
        "seats on average: honest {:.1}, coalition {:.1}; {eligible} eligible",
        seats(&honest, eligible),
        seats(&coalition, eligible)
    );
    let all: u64 = honest.iter().chain(&coalition).sum();
    assert!(
        all <= eligible,
        "{all} votes, and {eligible} are drawn from"
    );
}
