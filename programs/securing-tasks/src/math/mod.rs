//! Money and votes as pure functions on integers. No Anchor types, no u128 division, no floats; every rounding is stated.

pub mod majority;
pub mod panel;
pub mod ratio;
pub mod slash;
