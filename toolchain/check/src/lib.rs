//! What the compiler must get right, asked of the bytecode itself: run.mjs sends eight u64 and compares the answers.
//! Everything is computed from the instruction's data, so that nothing is known while compiling.
#![no_std]

use core::hint::black_box;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    __bpf_trap()
}

/// Panics become a call of this; the number is the hash of the syscall `abort`.
#[no_mangle]
#[inline(never)]
extern "C" fn __bpf_trap() -> ! {
    let abort: extern "C" fn() -> ! = unsafe { core::mem::transmute(0xb6fc_1a11_usize) };
    abort()
}

fn set_return_data(data: &[u8]) {
    let syscall: extern "C" fn(*const u8, u64) = unsafe { core::mem::transmute(0xa226_d3eb_usize) };
    syscall(data.as_ptr(), data.len() as u64);
}

struct Answers {
    bytes: [u8; 256],
    len: usize,
}

impl Answers {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

fn step(hash: u64, value: u64) -> u64 {
    (hash ^ value).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
}

#[inline(never)]
fn six(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64) -> u64 {
    [a, b, c, d, e, f].into_iter().fold(1, step)
}

#[inline(never)]
fn seven(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64) -> u64 {
    [a, b, c, d, e, f, g].into_iter().fold(2, step)
}

/// Nearly as big a frame as is allowed, whose far end (where the sixth argument and on lie) is written before they are read.
#[inline(never)]
#[allow(clippy::too_many_arguments)]
fn eight_in_a_full_frame(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64) -> u64 {
    let mut frame = [0u64; 3_920 / 8];
    for (i, slot) in black_box(&mut frame).iter_mut().enumerate() {
        *slot = a.wrapping_add(i as u64);
    }
    let sum = black_box(&frame).iter().fold(0, |sum: u64, slot| sum.wrapping_add(*slot));
    [b, c, d, e, f, g, h].into_iter().fold(sum, step)
}

#[cfg(feature = "frame-too-big")]
#[inline(never)]
fn too_big(a: u64) -> u64 {
    let mut frame = [a; 4_104 / 8];
    black_box(&mut frame)[(a % 513) as usize]
}

#[cfg(feature = "u128-division")]
#[inline(never)]
fn quotient(a: u64, b: u64, c: u64) -> u64 {
    (u128::from(a) * u128::from(b)).checked_div(u128::from(c) * u128::from(c)).unwrap_or(0) as u64
}

/// # Safety
/// The runtime calls this with its serialised input: no accounts (checked), the data's length, the data.
#[no_mangle]
pub unsafe extern "C" fn entrypoint(input: *const u64) -> u64 {
    let word = |i: usize| unsafe { *input.add(i) };
    if word(0) != 0 || word(1) != 64 {
        return 1;
    }
    let [a, b, c, d, e, f, g, h]: [u64; 8] = core::array::from_fn(|i| word(2 + i));
    let mut answers = Answers { bytes: [0; 256], len: 0 };

    let product = a.checked_mul(b);
    answers.put(&[product.is_some() as u8]);
    answers.put(&product.unwrap_or(0).to_le_bytes());

    answers.put(&(u128::from(a) * u128::from(b)).to_le_bytes());

    let wide = |low: u64, high: u64| u128::from(low) | u128::from(high) << 64;
    answers.put(&wide(a, b).wrapping_mul(wide(c, d)).to_le_bytes());
    let product = wide(a, b).checked_mul(wide(c, d));
    answers.put(&[product.is_some() as u8]);
    answers.put(&product.unwrap_or(0).to_le_bytes());

    answers.put(&a.checked_div(b).unwrap_or(0).to_le_bytes());
    answers.put(&a.checked_rem(b).unwrap_or(0).to_le_bytes());

    answers.put(&six(a, b, c, d, e, f).to_le_bytes());
    answers.put(&seven(a, b, c, d, e, f, g).to_le_bytes());
    answers.put(&eight_in_a_full_frame(a, b, c, d, e, f, g, h).to_le_bytes());
    #[cfg(feature = "frame-too-big")]
    answers.put(&too_big(a).to_le_bytes());
    #[cfg(feature = "u128-division")]
    answers.put(&quotient(a, b, c).to_le_bytes());

    set_return_data(&answers.bytes[..answers.len]);
    0
}
