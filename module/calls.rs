// SPDX-License-Identifier: GPL-2.0-only

//! Finding a call in the text of a function.

use core::ops::RangeInclusive;

/// The first byte of a call to an address that is relative to that of the next instruction.
const CALL: u8 = 0xe8;

/// What may stand between the padding before a function and its first instruction behind ENDBR:
/// on some machines the kernel has calls go to the padding, or past the ENDBR.
const AROUND: RangeInclusive<isize> = -16..=4;

/// Returns where in `text`, which lies at the address `at`, the one call to `target` returns to;
/// [`None`] if there is no such call, or more than one.
///
/// The text is not decoded: bytes that look like a call to `target` and are none would count.
/// That takes four bytes that match, and makes two calls of one, not another one.
pub(crate) fn return_of_only_call(text: &[u8], at: usize, target: usize) -> Option<usize> {
    let mut returns = text
        .windows(5)
        .enumerate()
        .filter_map(|(offset, bytes)| match bytes {
            [CALL, relative @ ..] => {
                let next = at + offset + bytes.len();
                let relative = i32::from_le_bytes(relative.try_into().ok()?) as isize;
                let distance = next.wrapping_add_signed(relative).wrapping_sub(target) as isize;
                AROUND.contains(&distance).then_some(next)
            }
            _ => None,
        });
    returns.next().filter(|_| returns.next().is_none())
}
