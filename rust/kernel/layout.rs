// SPDX-License-Identifier: GPL-2.0

//! Whether the bindings lie in memory as C has it.
//!
//! bindgen computes where each field lies, by its own view of types, alignments and attributes; its
//! tests of that are off in the kernel. A field that it puts elsewhere is another field, which
//! nobody would notice before it is read. [`as_in_c!`] compares with what clang says of
//! `rust/bindings/bindings_helper.h`, as a compiler of C, at build time.
//!
//! [`as_in_c!`]: crate::as_in_c

/// Asserts that structures have the size and the alignment that they have in C, and fields the
/// offset and the size.
///
/// What is compared must be listed in `rust/bindings/bindings_helper.h` as well, by `LAYOUT_SIZE()`
/// and `LAYOUT()`.
///
/// # Examples
///
/// ```
/// use kernel::as_in_c;
///
/// as_in_c!(task_struct);
/// as_in_c! {
///     task_struct { mm, pid }
/// }
/// ```
// `::core::assert!`, as an example in documentation has an `assert!` of its own.
#[macro_export]
macro_rules! as_in_c {
    ($($name:ident),+) => {
        $(
            $crate::macros::paste! {
                const _: () = {
                    ::core::assert!(
                        ::core::mem::size_of::<$crate::bindings::$name>()
                            == $crate::bindings::[<SIZE_ $name>]
                    );
                    ::core::assert!(
                        ::core::mem::align_of::<$crate::bindings::$name>()
                            == $crate::bindings::[<ALIGN_ $name>]
                    );
                };
            }
        )+
    };
    ($($name:ident { $($field:ident),+ $(,)? })+) => {
        $($(
            $crate::macros::paste! {
                const _: () = {
                    ::core::assert!(
                        ::core::mem::offset_of!($crate::bindings::$name, $field)
                            == $crate::bindings::[<OFFSET_ $name _ $field>]
                    );
                    ::core::assert!(
                        $crate::layout::size_of_field(
                            |value: &$crate::bindings::$name| &value.$field
                        ) == $crate::bindings::[<SIZE_ $name _ $field>]
                    );
                };
            }
        )+)+
    };
}

/// Returns the size of the field that `_get` gets.
#[doc(hidden)]
pub const fn size_of_field<Struct, Field>(_get: fn(&Struct) -> &Field) -> usize {
    size_of::<Field>()
}
