//! Money and votes as pure functions on integers. No Anchor types, no u128, no floats; every rounding is stated.

pub mod majority;
pub mod ratio;
pub mod slash;
