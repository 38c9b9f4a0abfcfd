//! Shares of an amount, in u64 alone: our compiler has no 128-bit division.

use crate::constants::BPS;

/// `floor(amount * bps / 10_000)`, exact for every amount.
///
/// `None` where `bps` is over 10,000.
pub fn bps_floor(amount: u64, bps: u64) -> Option<u64> {
    if bps > BPS {
        return None;
    }
    // amount = whole * 10_000 + part, so both products stay far below 2^64.
    let whole = amount.checked_div(BPS)?;
    let part = amount.checked_rem(BPS)?;
    whole
        .checked_mul(bps)?
        .checked_add(part.checked_mul(bps)?.checked_div(BPS)?)
}

/// `ceil(amount * bps / 10_000)`: for thresholds, where rounding down would let a vote pass that should not.
///
/// `None` where `bps` is over 10,000.
pub fn bps_ceil(amount: u64, bps: u64) -> Option<u64> {
    amount.checked_sub(bps_floor(amount, BPS.checked_sub(bps)?)?)
}

/// `floor(amount * part / whole)` for a part of the whole, by a 64 by 64 bit product and long division.
///
/// `None` where `part` is over `whole` or `whole` is zero.
pub fn share_floor(amount: u64, part: u64, whole: u64) -> Option<u64> {
    if part > whole || whole == 0 {
        return None;
    }
    if let Some(product) = amount.checked_mul(part) {
        return product.checked_div(whole);
    }
    let (high, low) = product(amount, part);
    divide(high, low, whole)
}

const HALF: u32 = 32;
const LOW: u64 = 0xffff_ffff;

/// The 128-bit product as (high, low). No step can overflow: (2^32 - 1)^2 + 2 * (2^32 - 1) = 2^64 - 1.
pub(super) fn product(a: u64, b: u64) -> (u64, u64) {
    let (ah, al) = (a >> HALF, a & LOW);
    let (bh, bl) = (b >> HALF, b & LOW);
    let bottom = al.wrapping_mul(bl);
    let first = ah.wrapping_mul(bl).wrapping_add(bottom >> HALF);
    let second = al.wrapping_mul(bh).wrapping_add(first & LOW);
    let high = ah
        .wrapping_mul(bh)
        .wrapping_add(first >> HALF)
        .wrapping_add(second >> HALF);
    (high, (second << HALF) | (bottom & LOW))
}

/// Quotient of a 128-bit number by a 64-bit one whose quotient fits 64 bits, as every part of a whole does (Knuth's algorithm D, in
/// base 2^32).
fn divide(high: u64, low: u64, divisor: u64) -> Option<u64> {
    // Normalise, so that a digit of the quotient is guessed at most two too high.
    let shift = divisor.leading_zeros();
    let divisor = divisor.wrapping_shl(shift);
    let top = if shift == 0 {
        high
    } else {
        high.wrapping_shl(shift) | low.wrapping_shr(64u32.wrapping_sub(shift))
    };
    let bottom = low.wrapping_shl(shift);

    let (upper, rest) = digit(top, bottom >> HALF, divisor)?;
    let (lower, _) = digit(rest, bottom & LOW, divisor)?;
    Some((upper << HALF) | lower)
}

/// One base 2^32 digit of the quotient, and the remainder carried to the next.
fn digit(rest: u64, next: u64, divisor: u64) -> Option<(u64, u64)> {
    let (dh, dl) = (divisor >> HALF, divisor & LOW);
    let mut guess = rest.checked_div(dh)?;
    let mut over = rest.checked_rem(dh)?;
    while guess > LOW || guess.wrapping_mul(dl) > ((over << HALF) | next) {
        guess = guess.wrapping_sub(1);
        over = over.wrapping_add(dh);
        // The guess is right now: its product is below any number that `over` would be the head of.
        if over > LOW {
            break;
        }
    }
    // Modulo 2^64 on purpose: the true difference is below the divisor.
    let left = (rest << HALF | next).wrapping_sub(guess.wrapping_mul(divisor));
    Some((guess, left))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Small, large and boundary numbers, since uniform ones never meet an edge.
    pub fn amounts() -> impl Strategy<Value = u64> {
        prop_oneof![
            any::<u64>(),
            0..100_000u64,
            (0..64u32).prop_map(|bit| 1u64 << bit),
            (0..64u32).prop_map(|bit| (1u64 << bit) - 1),
            (u64::MAX - 1000)..=u64::MAX,
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn bps_floor_rounds_down(amount in amounts(), bps in 0..=BPS) {
            let exact = amount as u128 * bps as u128 / BPS as u128;
            prop_assert_eq!(bps_floor(amount, bps), Some(exact as u64));
        }

        #[test]
        fn bps_ceil_rounds_up(amount in amounts(), bps in 0..=BPS) {
            let exact = (amount as u128 * bps as u128).div_ceil(BPS as u128);
            prop_assert_eq!(bps_ceil(amount, bps), Some(exact as u64));
        }

        #[test]
        fn over_a_whole_is_no_share(amount in amounts(), bps in BPS + 1..) {
            prop_assert_eq!(bps_floor(amount, bps), None);
            prop_assert_eq!(bps_ceil(amount, bps), None);
        }

        #[test]
        fn share_floor_rounds_down(amount in amounts(), a in amounts(), b in amounts()) {
            let (part, whole) = (a.min(b), a.max(b).max(1));
            let exact = amount as u128 * part as u128 / whole as u128;
            prop_assert_eq!(share_floor(amount, part, whole), Some(exact as u64));
        }

        #[test]
        fn long_division_is_exact(amount in amounts(), a in amounts(), b in amounts()) {
            let (part, whole) = (a.min(b), a.max(b).max(1));
            let (high, low) = product(amount, part);
            prop_assert_eq!((high as u128) << 64 | low as u128, amount as u128 * part as u128);
            if high < whole {
                let exact = amount as u128 * part as u128 / whole as u128;
                prop_assert_eq!(divide(high, low, whole), Some(exact as u64));
            }
        }
    }

    #[test]
    fn no_share_of_nothing_or_over_the_whole() {
        assert_eq!(share_floor(5, 0, 0), None);
        assert_eq!(share_floor(5, 3, 2), None);
        assert_eq!(share_floor(u64::MAX, u64::MAX, u64::MAX), Some(u64::MAX));
    }
}
